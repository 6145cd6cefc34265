#pragma once

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <algorithm>
#include <vector>

// The peak rates of this machine.
namespace tinyllm {

/// The best rate that all threads of a pool reach together. Each calls `work(piece)`, which returns the amount of work
/// done. Tries for half a second, after 0.2 s to let the clock rise.
template <class Work>
double best_rate(ThreadPool& pool, Work work) {
  constexpr double kWarmUp = 0.2;
  constexpr double kMeasured = 0.5;
  double best = 0;
  for (double spent = 0; spent < kWarmUp + kMeasured;) {
    std::vector<double> done(static_cast<size_t>(pool.threads()));
    const Clock::time_point start = Clock::now();
    pool.parallel_for(pool.threads(), [&](int64_t piece) { done[static_cast<size_t>(piece)] = work(piece); });
    const double time = seconds_since(start);
    double total = 0;
    for (const double amount : done) total += amount;
    if (spent >= kWarmUp) best = std::max(best, total / time);
    spent += time;
  }
  return best;
}

/// `best_rate` of a kernel that runs a number of rounds of an instruction and returns their operations; 0 if it is
/// null.
double arithmetic_peak(ThreadPool& pool, double (*kernel)(int64_t rounds));

/// Floating-point operations a second in products of a precision, from registers: multiply-adds count twice.
double arithmetic_peak(ThreadPool& pool, Precision precision);

}  // namespace tinyllm
