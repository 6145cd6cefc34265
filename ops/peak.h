#pragma once

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <algorithm>
#include <vector>

// What this machine's arithmetic can do at most.
namespace tinyllm {

/// The best rate that all threads of a pool reach together, each in `work(piece)`, which returns how much it has done;
/// of half a second of tries, after 0.2 s in which the clock rises.
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

/// `best_rate` of a kernel that does so many rounds of an instruction and returns their operations; 0 without it.
double arithmetic_peak(ThreadPool& pool, double (*kernel)(int64_t rounds));

/// Floating-point operations a second in products of a precision, from registers: multiply-adds count twice.
double arithmetic_peak(ThreadPool& pool, Precision precision);

}  // namespace tinyllm
