#include <tinyllm/runtime/log_probs.h>

#include <tinyllm/tensor/base/error.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tinyllm {

TokenLogProbs log_probs(std::span<const float> logits, int32_t token, int64_t top, int64_t tokens) {
  const double max = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
  double sum = 0;
  for (const float logit : logits) sum += std::exp(static_cast<double>(logit) - max);
  const double log_sum = max + std::log(sum);
  if (!std::isfinite(log_sum))
    throw Error("log_probs: the logits have no softmax: one is NaN or +inf, or all are -inf");
  const auto log_prob = [&](int32_t t) { return static_cast<double>(logits[static_cast<size_t>(t)]) - log_sum; };

  TokenLogProbs result{log_prob(token), {}};
  if (top == 0) return result;
  std::vector<int32_t> order(static_cast<size_t>(std::min(tokens, std::ssize(logits))));
  std::iota(order.begin(), order.end(), 0);
  const auto last = order.begin() + std::min<std::ptrdiff_t>(top, std::ssize(order));
  std::partial_sort(order.begin(), last, order.end(), [&](int32_t a, int32_t b) {
    const float x = logits[static_cast<size_t>(a)], y = logits[static_cast<size_t>(b)];
    return x != y ? x > y : a < b;
  });
  for (auto t = order.begin(); t != last; ++t) result.top.push_back({*t, log_prob(*t)});
  return result;
}

}  // namespace tinyllm
