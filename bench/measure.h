#pragma once

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include <functional>
#include <string_view>
#include <vector>

// The peak rates of this machine, and how long things take on it.
namespace tinyllm::bench {

template <class Work>
double seconds(Work&& work) {
  const Clock::time_point start = Clock::now();
  work();
  return seconds_since(start);
}

double median(std::vector<double> values);

/// Runs all `works` alternating, so that disturbances affect all of them, and returns the median time of each in
/// seconds. A turn repeats one work for `turn` seconds, and at least twice. The first third of a turn does not count,
/// because threads wake up and caches fill. Nothing runs for `pause` seconds between turns, so that waiting threads of
/// other libraries go to sleep and do not take the cores of the next work.
std::vector<double> alternate(const std::vector<std::function<void()>>& works, int turns, double turn, double pause);

/// Operations and bytes per second that all threads of a pool reach together; 0 for an instruction that the CPU does
/// not have. Each is the best of half a second of tries, after 0.2 s to let the clock rise.
struct Peaks {
  double fp32 = 0;    ///< Multiply-adds from registers, two operations each.
  double bf16 = 0;    ///< Dot products of BF16 pairs.
  double int8 = 0;    ///< Dot products of four bytes.
  double read = 0;    ///< Bytes read from memory.
  double update = 0;  ///< Bytes read from memory and written back to where they were.
};
Peaks measure_peaks(ThreadPool& pool);

/// Whether the op of this name is a matrix product, computed in the precision passed to `compile`.
bool is_product(std::string_view op);

/// The bytes per second with which all threads together read, or read and write back, `bytes` repeatedly. They come
/// from a cache if they fit. An update counts bytes read and bytes written.
double read_bandwidth(ThreadPool& pool, int64_t bytes);
double update_bandwidth(ThreadPool& pool, int64_t bytes);

/// Where `bytes`, read repeatedly at `bandwidth`, come from: "L2", "L3" or "memory". Beyond L2 this is decided by the
/// bandwidth, because a cache that is shared with other machines is larger than the part that one gets.
const char* memory_level(int threads, int64_t bytes, double bandwidth, double memory_bandwidth);

}  // namespace tinyllm::bench
