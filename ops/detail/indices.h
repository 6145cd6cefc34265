#pragma once

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/op.h>

// What ops that read or write at indices share.
namespace tinyllm {

/// Throws Error on an index outside [0, extent).
inline void check_indices(const char* op, const char* what, const View& indices, int64_t extent) {
  for (int64_t i = 0; i < indices.size(); ++i) {
    const int32_t at = indices.i32()[i];
    if (at < 0 || at >= extent) {
      throw Error("{}: {} {} at position {}, expected 0 to {}", op, what, at, i, extent - 1);
    }
  }
}

/// A tensor seen along an axis: [outer, n, inner].
struct AlongAxis {
  int64_t outer, n, inner;

  AlongAxis(const Shape& shape, int axis)
      : outer(shape.size(0, axis)), n(shape[axis]), inner(shape.size(axis + 1, shape.rank())) {}
};

/// to[o, indices[o, j, i], i] += from[o, j, i], in the order of j. `to` is [outer, n, inner] and `from` is
/// [outer, m, inner]. With `one_per_row` the index depends on j alone, and `indices` is [m]. The indices must be valid.
/// `init(begin, size)` is called first for each run of elements of `to`. A task owns some columns of `to`, so that sums
/// have one order.
template <class Init>
void scatter_rows(ThreadPool& pool, const AlongAxis& to_axis, int64_t m, const int32_t* indices, bool one_per_row,
                  const float* from, float* to, Init init) {
  constexpr int64_t kColumns = 64;
  const auto [outer, n, inner] = to_axis;
  const int64_t chunks = ceil_div(inner, kColumns);
  const int64_t grain = row_grain((n + m) * std::min(inner, kColumns));
  parallel_ranges(pool, outer * chunks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t task = begin; task < end; ++task) {
      const int64_t o = task / chunks;
      const int64_t first = task % chunks * kColumns;
      const int64_t columns = std::min(kColumns, inner - first);
      for (int64_t row = 0; row < n; ++row) init((o * n + row) * inner + first, columns);
      for (int64_t j = 0; j < m; ++j) {
        const int64_t at = (o * m + j) * inner + first;
        if (one_per_row) {
          float* sum = to + (o * n + indices[j]) * inner + first;
          kernels::kernels().binary.add(columns, sum, from + at, sum);
        } else {
          for (int64_t i = 0; i < columns; ++i) to[(o * n + indices[at + i]) * inner + first + i] += from[at + i];
        }
      }
    }
  });
}

}  // namespace tinyllm
