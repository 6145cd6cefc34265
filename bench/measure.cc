#include "measure.h"

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/peak.h>
#include <tinyllm/tensor/arena.h>

#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <thread>

namespace tinyllm::bench {
namespace {

// Much larger than the part of a last-level cache that a few cores can fill.
constexpr int64_t kMemoryBytes = int64_t{512} << 20;

// `pass(n, x)` moves `moved` bytes for each byte of its part of an array.
template <class Pass>
double bandwidth(ThreadPool& pool, int64_t bytes, double moved, Pass pass) {
  constexpr int64_t kStep = 128;                 // Kernels read this many floats at once.
  constexpr int64_t kLeast = int64_t{16} << 20;  // Bytes of a region: enough to make its fork and join negligible.
  const int64_t part = std::max<int64_t>(1, bytes / 4 / pool.threads() / kStep) * kStep;
  const int64_t repeats = std::max<int64_t>(1, kLeast / 4 / part);
  const Arena arena(static_cast<size_t>(part * pool.threads()) * sizeof(float));
  auto* data = reinterpret_cast<float*>(arena.data());
  std::fill_n(data, part * pool.threads(), 1.0f);  // Pages that were never written share one physical page.
  return best_rate(pool, [&](int64_t piece) {
    for (int64_t i = 0; i < repeats; ++i) pass(part, data + piece * part);
    return moved * static_cast<double>(repeats * part) * sizeof(float);
  });
}

}  // namespace

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::vector<double> alternate(const std::vector<std::function<void()>>& works, int turns, double turn, double pause) {
  std::vector<std::vector<double>> medians(works.size());
  for (int i = 0; i < turns; ++i) {
    for (size_t work = 0; work < works.size(); ++work) {
      std::this_thread::sleep_for(std::chrono::duration<double>(pause));
      std::vector<double> times;
      for (double spent = 0; times.size() < 2 || spent < turn; spent += times.back()) {
        times.push_back(seconds(works[work]));
      }
      times.erase(times.begin(), times.begin() + static_cast<std::ptrdiff_t>((times.size() + 2) / 3));
      medians[work].push_back(median(std::move(times)));
    }
  }
  std::vector<double> result;
  for (std::vector<double>& times : medians) result.push_back(median(std::move(times)));
  return result;
}

bool is_product(std::string_view op) {
  return op == "linear" || op == "matmul" || op == "linear_cross_entropy" || op == "token_log_probs" || op == "muon" ||
         op.starts_with("conv2d");
}

double read_bandwidth(ThreadPool& pool, int64_t bytes) {
  return bandwidth(pool, bytes, 1, [](int64_t n, const float* x) { kernels::kernels().read(n, x); });
}

double update_bandwidth(ThreadPool& pool, int64_t bytes) {
  return bandwidth(pool, bytes, 2, [](int64_t n, float* x) { kernels::kernels().scale(n, 1.0f, x, x); });
}

Peaks measure_peaks(ThreadPool& pool) {
  return {.fp32 = arithmetic_peak(pool, Precision::fp32),
          .bf16 = arithmetic_peak(pool, Precision::bf16),
          .int8 = arithmetic_peak(pool, kernels::kernels().dot_int8),
          .read = read_bandwidth(pool, kMemoryBytes),
          .update = update_bandwidth(pool, kMemoryBytes)};
}

const char* memory_level(int threads, int64_t bytes, double bandwidth, double memory_bandwidth) {
  const auto l2 = static_cast<int64_t>(sysconf(_SC_LEVEL2_CACHE_SIZE));
  if (bytes <= threads * l2) return "L2";
  return bandwidth > 1.2 * memory_bandwidth ? "L3" : "memory";
}

}  // namespace tinyllm::bench
