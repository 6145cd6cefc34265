#pragma once

#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <algorithm>
#include <type_traits>

namespace tinyllm {

/// Calls `f(begin, end)`, or `f(begin, end, worker)` if it takes both, over [0, n) in pieces of `grain` elements. The
/// pieces, and so the results, depend only on the shape and not on the number of threads.
template <class F>
void parallel_ranges(ThreadPool& pool, int64_t n, int64_t grain, F&& f) {
  pool.parallel_for(ceil_div(n, grain), [&](int64_t piece, [[maybe_unused]] int worker) {
    const int64_t begin = piece * grain, end = std::min(n, begin + grain);
    if constexpr (std::is_invocable_v<F&, int64_t, int64_t, int>) {
      f(begin, end, worker);
    } else {
      f(begin, end);
    }
  });
}

/// The number of rows in a piece: enough work to justify starting a parallel region.
inline int64_t row_grain(int64_t row_elements) {
  constexpr int64_t kElements = 16384;
  return std::max<int64_t>(1, kElements / std::max<int64_t>(1, row_elements));
}

}  // namespace tinyllm
