#pragma once

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/graph.h>

#include <array>
#include <bit>
#include <functional>
#include <vector>

// What reductions share. A tensor is seen as [outer, n, inner] and reduced along n.
namespace tinyllm {

struct FoldShape {
  int64_t outer, n, inner;
};

/// Applies `step` to runs of neighbouring axes, from the last to the first: it gets a tensor [outer, n, inner] and
/// returns [outer, inner]. The axes are removed from the result, or kept with an extent of 1. Throws Error when an axis
/// does not exist or is named twice.
Tensor reduce_axes(const char* op, Tensor x, const std::vector<int>& axes, bool keep_dims,
                   const std::function<Tensor(Tensor)>& step);

/// Rows are combined in groups of this many, and the results of these in order.
inline constexpr int64_t kFoldGroup = 64;
inline int64_t fold_groups_of(const FoldShape& p) { return std::max<int64_t>(1, ceil_div(p.n, kFoldGroup)); }

/// x is [outer, n, inner] and y [outer, groups, inner]: row g of y combines `start` and rows [g size, (g + 1) size) of
/// x, in order. A task is some columns of a group, whose results stay in the L1 cache.
template <class T>
void fold_groups(ThreadPool& pool, const FoldShape& p, int64_t size, int64_t groups, kernels::Combine<T> combine,
                 T start, const T* x, T* y) {
  constexpr int64_t kColumns = 4096;
  const int64_t strips = ceil_div(p.inner, kColumns);
  pool.parallel_for(p.outer * groups * strips, [&](int64_t piece) {
    const int64_t column = piece % strips * kColumns;
    const int64_t columns = std::min(kColumns, p.inner - column);
    const int64_t group = piece / strips % groups;
    const int64_t outer = piece / strips / groups;
    T* total = y + (outer * groups + group) * p.inner + column;
    std::fill_n(total, columns, start);
    for (int64_t row = group * size; row < std::min(p.n, (group + 1) * size); ++row) {
      combine(columns, total, x + (outer * p.n + row) * p.inner + column, total);
    }
  });
}

/// The same for all rows of each [n, inner]. `partial` has outer * groups * inner elements; it is not used if there is
/// one group.
template <class T>
void fold_rows(ThreadPool& pool, const FoldShape& p, kernels::Combine<T> combine, T start, const T* x, T* partial,
               T* y) {
  const int64_t groups = fold_groups_of(p);
  if (groups == 1) return fold_groups(pool, p, kFoldGroup, 1, combine, start, x, y);
  fold_groups(pool, p, kFoldGroup, groups, combine, start, x, partial);
  fold_groups<T>(pool, {p.outer, groups, p.inner}, groups, 1, combine, start, partial, y);
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
