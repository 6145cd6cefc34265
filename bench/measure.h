#pragma once

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <functional>
#include <string_view>
#include <vector>

// What this machine can do at most, and how long things take on it.
namespace tinyllm::bench {

template <class Work>
double seconds(Work&& work) {
  const Clock::time_point start = Clock::now();
  work();
  return seconds_since(start);
}

double median(std::vector<double> values);

/// Medians of the seconds that each of `works` takes, by turns: what disturbs the machine disturbs all of them. A turn
/// repeats one work for `turn` seconds, and at least twice; its first third does not count, for threads that wake up
/// and caches that fill. Between turns nothing runs for `pause` seconds, in which threads of other libraries stop
/// looking for work: they would take the next one's cores.
std::vector<double> alternate(const std::vector<std::function<void()>>& works, int turns, double turn, double pause);

/// Operations and bytes a second that all threads of a pool reach together; 0 for an instruction that the CPU lacks.
/// Each the best of half a second of tries, after 0.2 s in which the clock rises.
struct Peaks {
  double fp32 = 0;    ///< Multiply-adds from registers, two operations each.
  double bf16 = 0;    ///< Dot products of BF16 pairs.
  double int8 = 0;    ///< Dot products of four bytes.
  double read = 0;    ///< Bytes read from memory.
  double update = 0;  ///< Bytes read from memory and written back to where they were.
};
Peaks measure_peaks(ThreadPool& pool);

/// Whether an op of that name is products of matrices, which are computed in the precision that `compile` is given.
bool is_product(std::string_view op);

/// Bytes a second that all threads read, or read and write back, of `bytes` over and over: from a cache when they fit
/// into it. Of an update, what is read and what is written both count.
double read_bandwidth(ThreadPool& pool, int64_t bytes);
double update_bandwidth(ThreadPool& pool, int64_t bytes);

/// The level that `bytes`, read at `bandwidth` over and over, come from: "L2", "L3" or "memory". Caches shared with
/// other machines are larger than what one gets of them, so what is beyond L2 is told by how fast it is.
const char* memory_level(int threads, int64_t bytes, double bandwidth, double memory_bandwidth);

}  // namespace tinyllm::bench
