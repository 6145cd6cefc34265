#pragma once

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/parallel.h>

#include <algorithm>
#include <chrono>
#include <vector>

// What the benchmarks share: medians, and the most that this machine can do.
namespace tinyllm::bench {

template <class Work>
double seconds(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

/// FLOP/s of FP32 multiply-adds from registers on all threads of the pool: the best of several tries.
inline double peak_flops(ThreadPool& pool) {
  constexpr int64_t kRounds = 5'000'000;
  double best = 0;
  for (int i = 0; i < 7; ++i) {
    std::vector<double> done(static_cast<size_t>(pool.threads()));
    const double time = seconds([&] {
      pool.parallel_for(pool.threads(), [&](int64_t piece) {
        done[static_cast<size_t>(piece)] = kernels::kernels().multiply_add(kRounds);
      });
    });
    double total = 0;
    for (const double flops : done) total += flops;
    best = std::max(best, total / time);
  }
  return best;
}

}  // namespace tinyllm::bench
