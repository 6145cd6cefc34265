#pragma once

#include <tinyllm/ops/detail/along_axis.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/graph.h>

#include <array>
#include <bit>
#include <functional>
#include <vector>

// What reductions share. A tensor is seen as [outer, n, inner] and reduced along n.
namespace tinyllm {

/// Applies `step` to runs of neighbouring axes, from the last to the first: it gets a tensor [outer, n, inner] and
/// returns [outer, inner]. The axes are removed from the result, or kept with an extent of 1. Throws Error when an axis
/// does not exist or is named twice.
Tensor reduce_axes(const char* op, Tensor x, const std::vector<int>& axes, bool keep_dims,
                   const std::function<Tensor(Tensor)>& step);

/// Throws Error if one of the axes has no elements.
void check_not_empty(const char* op, const Tensor& x, const std::vector<int>& axes);

/// Rows are combined in groups of this many, then the results of these, and so on: in float, an error grows with the
/// number of levels and not with that of rows.
inline constexpr int64_t kFoldGroup = 64;
inline int64_t fold_groups_of(int64_t n) { return std::max<int64_t>(1, ceil_div(n, kFoldGroup)); }

/// x is [outer, n, inner] and y [outer, groups, inner]: row g of y combines `start` and the rows of group g, in order.
/// A task is some columns of a group, whose results stay in the L1 cache.
template <class T>
void fold_groups(ThreadPool& pool, const AlongAxis& p, kernels::Combine<T> combine, T start, const T* x, T* y) {
  constexpr int64_t kColumns = 4096;
  const int64_t groups = fold_groups_of(p.n);
  const int64_t strips = ceil_div(p.inner, kColumns);
  pool.parallel_for(p.outer * groups * strips, [&](int64_t piece) {
    const int64_t column = piece % strips * kColumns;
    const int64_t columns = std::min(kColumns, p.inner - column);
    const int64_t group = piece / strips % groups;
    const int64_t outer = piece / strips / groups;
    T* total = y + (outer * groups + group) * p.inner + column;
    std::fill_n(total, columns, start);
    for (int64_t row = group * kFoldGroup; row < std::min(p.n, (group + 1) * kFoldGroup); ++row) {
      combine(columns, total, x + (outer * p.n + row) * p.inner + column, total);
    }
  });
}

/// Elements of scratch memory that `fold_rows` needs: the results of all groups but the last one.
inline int64_t fold_scratch(const AlongAxis& p) {
  int64_t rows = 0;
  for (int64_t groups = fold_groups_of(p.n); groups > 1; groups = fold_groups_of(groups)) rows += groups;
  return p.outer * rows * p.inner;
}

/// Combines all rows of each [n, inner]: y is [outer, inner].
template <class T>
void fold_rows(ThreadPool& pool, const AlongAxis& p, kernels::Combine<T> combine, T start, const T* x, T* scratch,
               T* y) {
  const AlongAxis groups(p.outer, fold_groups_of(p.n), p.inner);
  if (groups.n == 1) return fold_groups(pool, p, combine, start, x, y);
  fold_groups(pool, p, combine, start, x, scratch);
  fold_rows<T>(pool, groups, combine, start, scratch, scratch + groups.outer * groups.n * groups.inner, y);
}

/// All of n neighbours, in an order that depends on n alone.
template <class T>
T fold_neighbours(int64_t n, kernels::Combine<T> combine, T start, const T* x) {
  constexpr int64_t kWide = 256;
  std::array<T, kWide> totals;
  int64_t width = std::min(kWide, static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(n))));
  std::fill_n(totals.data(), width, start);
  for (int64_t i = 0; i < n; i += width) combine(std::min(width, n - i), totals.data(), x + i, totals.data());
  for (width /= 2; width > 0; width /= 2) combine(width, totals.data(), totals.data() + width, totals.data());
  return totals[0];
}

}  // namespace tinyllm
