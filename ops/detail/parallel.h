#pragma once

#include <tinyllm/tensor/base/thread_pool.h>

#include <algorithm>

namespace tinyllm {

/// Calls `f(begin, end)` over [0, n) in pieces of `grain` elements: the pieces, and so the results, depend on the shape
/// alone and not on the number of threads.
template <class F>
void parallel_ranges(ThreadPool& pool, int64_t n, int64_t grain, F&& f) {
  pool.parallel_for((n + grain - 1) / grain,
                    [&](int64_t piece) { f(piece * grain, std::min(n, (piece + 1) * grain)); });
}

/// Rows in a piece so that one piece is about as much work as the fork of a region is worth.
inline int64_t row_grain(int64_t row_elements) {
  constexpr int64_t kElements = 16384;
  return std::max<int64_t>(1, kElements / std::max<int64_t>(1, row_elements));
}

}  // namespace tinyllm
