#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cstring>

namespace tinyllm {
namespace {

struct Params {
  std::vector<int> order;
};

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& y = launch.outputs[0];
  const std::vector<int>& order = launch.get<Params>().order;
  const int rank = y.shape.rank();
  if (y.size() == 0) return;
  std::array<int64_t, Shape::kMaxRank> stride{};  // In x, of each axis of y.
  for (int i = 0; i < rank; ++i) {
    stride[static_cast<size_t>(i)] = x.shape.size(order[static_cast<size_t>(i)] + 1, rank);
  }
  const int64_t row = y.shape.row();
  const int64_t step = stride[static_cast<size_t>(rank - 1)];
  const auto* source = static_cast<const uint32_t*>(x.data);
  auto* target = static_cast<uint32_t*>(y.data);
  parallel_ranges(*launch.pool, y.shape.rows(), std::max<int64_t>(1, 16384 / row), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t rest = r;
      int64_t offset = 0;
      for (int i = rank - 2; i >= 0; --i) {
        offset += rest % y.shape[i] * stride[static_cast<size_t>(i)];
        rest /= y.shape[i];
      }
      if (step == 1) {
        std::memcpy(target + r * row, source + offset, static_cast<size_t>(row) * sizeof(uint32_t));
      } else {
        for (int64_t i = 0; i < row; ++i) target[r * row + i] = source[offset + i * step];
      }
    }
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  const std::vector<int>& order = node.get<Params>().order;
  std::vector<int> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i) inverse[static_cast<size_t>(order[i])] = static_cast<int>(i);
  return {permute(node.output_grads[0], inverse)};
}

}  // namespace

const Op kPermute{.name = "permute", .run = run, .gradient = gradient};

Tensor permute(Tensor x, std::vector<int> order) {
  check_elements("permute", x);
  if (size_of(x.dtype()) != sizeof(uint32_t)) {
    throw Error("permute: {} is {}, expected f32 or i32", x.str(), x.type().str());
  }
  const int rank = x.shape().rank();
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  std::vector<int64_t> extents;
  for (int& axis : order) {
    if (axis < -rank || axis >= rank || seen[static_cast<size_t>(axis < 0 ? axis + rank : axis)]) break;
    axis = x.shape().axis(axis);
    seen[static_cast<size_t>(axis)] = true;
    extents.push_back(x.shape()[axis]);
  }
  if (rank == 0 || extents.size() != static_cast<size_t>(rank) || order.size() != extents.size()) {
    throw Error("permute: x {} by ({}): expected every axis once", x.str(), fmt::join(order, ","));
  }
  const Shape shape{std::span<const int64_t>(extents)};
  return x.graph().append(kPermute, {x}, {{x.type(), shape}}, Params{std::move(order)})[0];
}

}  // namespace tinyllm
