#include <tinyllm/train/eval/statistics.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace tinyllm::eval {
namespace {

constexpr double kOutside = 0.05;

}  // namespace

double mcnemar(int64_t only_a, int64_t only_b) {
  const int64_t n = only_a + only_b, fewer = std::min(only_a, only_b);
  const auto log_factorial = [](int64_t i) { return std::lgamma(static_cast<double>(i) + 1); };
  double tail = 0;
  for (int64_t i = 0; i <= fewer; ++i) {
    tail += std::exp(log_factorial(n) - log_factorial(i) - log_factorial(n - i) - static_cast<double>(n) * std::log(2));
  }
  return std::min(1.0, 2 * tail);
}

Interval bootstrap_mean(std::span<const double> values, std::span<const size_t> clusters, uint64_t seed) {
  if (values.empty()) throw Error("bootstrap: no values");
  if (!clusters.empty() && clusters.size() != values.size()) {
    throw Error("bootstrap: {} clusters for {} values, expected one for each", clusters.size(), values.size());
  }
  struct Cluster {
    double sum = 0, count = 0;
  };
  std::vector<Cluster> all;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t cluster = clusters.empty() ? i : clusters[i];
    if (cluster >= all.size()) all.resize(cluster + 1);
    all[cluster].sum += values[i];
    all[cluster].count += 1;
  }
  std::erase_if(all, [](const Cluster& cluster) { return cluster.count == 0; });
  constexpr size_t kDraws = 2000;
  std::vector<double> means;
  for (size_t draw = 0; draw < kDraws; ++draw) {
    Random random(seed, draw);
    Cluster drawn;
    for (size_t i = 0; i < all.size(); ++i) {
      const Cluster& one = all[static_cast<size_t>(random.below(std::ssize(all)))];
      drawn.sum += one.sum;
      drawn.count += one.count;
    }
    means.push_back(drawn.sum / drawn.count);
  }
  std::sort(means.begin(), means.end());
  const auto beyond = static_cast<size_t>(kDraws * kOutside / 2);
  return {means[beyond], means[kDraws - 1 - beyond]};
}

double pass_at_k(int64_t n, int64_t right, int64_t k) {
  if (k < 1 || k > n || right < 0 || right > n) {
    throw Error("pass_at_k: {} of {} chains right, k {}; expected 1 <= k <= chains, and no more right than chains",
                right, n, k);
  }
  if (n - right < k) return 1;
  double all_wrong = 1;
  for (int64_t i = n - right + 1; i <= n; ++i) all_wrong *= 1 - static_cast<double>(k) / static_cast<double>(i);
  return 1 - all_wrong;
}

}  // namespace tinyllm::eval
