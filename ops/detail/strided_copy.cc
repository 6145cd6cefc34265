#include <tinyllm/ops/detail/strided_copy.h>

#include <tinyllm/ops/detail/parallel.h>

#include <cstring>

namespace tinyllm {
namespace {

void copy_row(int64_t n, const uint32_t* from, int64_t step, uint32_t* to) {
  if (step == 1) {
    std::memcpy(to, from, static_cast<size_t>(n) * sizeof(uint32_t));
  } else {
    for (int64_t i = 0; i < n; ++i) to[i] = from[i * step];
  }
}

}  // namespace

void copy_strided(const Launch& launch, const Strides& strides) {
  const View& y = launch.outputs[0];
  if (y.size() == 0) return;
  const int inner = y.shape.rank() - 1;
  const int64_t row = y.shape.row();
  const int64_t step = strides[inner];
  const auto* source = static_cast<const uint32_t*>(launch.inputs[0].data) + strides.offset;
  auto* target = static_cast<uint32_t*>(y.data);
  parallel_ranges(*launch.pool, y.shape.rows(), row_grain(row), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t rest = r;
      int64_t offset = 0;
      for (int i = inner - 1; i >= 0; --i) {
        offset += rest % y.shape[i] * strides[i];
        rest /= y.shape[i];
      }
      copy_row(row, source + offset, step, target + r * row);
    }
  });
}

}  // namespace tinyllm
