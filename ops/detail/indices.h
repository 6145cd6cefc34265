#pragma once

#include <tinyllm/ops/detail/along_axis.h>
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

/// What `scatter_rows` adds where.
struct Scatter {
  const char* op;    ///< For errors,
  const char* what;  ///< as in `check_indices`.
  AlongAxis to;
  int64_t m;            ///< Rows that are added to each [n, inner].
  const View& indices;  ///< [outer, m, inner], or [m] for each of `outer` if `one_per_row`.
  bool one_per_row;
};

/// to[o, indices[o, j, i], i] += from[o, j, i], in the order of j. `to` is [outer, n, inner] and `from` is
/// [outer, m, inner]. `init(begin, size)` is called first for each run of elements of `to`. A task owns some columns of
/// `to`, so that sums have one order. Throws Error on an index outside [0, n), before anything is written.
template <class Init>
void scatter_rows(ThreadPool& pool, const Scatter& scatter, const float* from, float* to, Init init) {
  constexpr int64_t kColumns = 64;
  const int64_t outer = scatter.to.outer, n = scatter.to.n, inner = scatter.to.inner;
  const int64_t m = scatter.m;
  const int32_t* indices = scatter.indices.i32();
  check_indices(scatter.op, scatter.what, scatter.indices, n);
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
        if (scatter.one_per_row) {
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
