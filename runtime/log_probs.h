#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace tinyllm {

/// Natural logarithms of the probabilities softmax(logits) of a token and of the likeliest ones.
struct TokenLogProbs {
  struct Entry {
    int32_t token;
    double log_prob;
  };
  double log_prob;
  std::vector<Entry> top;  ///< The likeliest tokens in descending order, the lower token first among equal ones.
};

/// `top` is the number of likeliest tokens to list, at most all. A vocabulary may have rows without a token: those from
/// `tokens` on are not listed, though they take part in the softmax. The logits are the model's own, before bias,
/// penalties and temperature. Throws Error if one is NaN or +inf, or if all are -inf.
TokenLogProbs log_probs(std::span<const float> logits, int32_t token, int64_t top,
                        int64_t tokens = std::numeric_limits<int64_t>::max());

}  // namespace tinyllm
