#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tinyllm {

/// How the next token is chosen from logits. In this order: logits += bias; the repetition penalty; at temperature 0
/// the likeliest token, of equals the lowest. Else softmax(logits / temperature), of which the likeliest `top_k` are
/// kept, of these the fewest whose probabilities add up to `top_p` (the token that gets there is kept), of these those
/// with at least `min_p` of the likeliest one's probability; and one of the rest is drawn.
struct Sampling {
  float temperature = 0;
  int64_t top_k = 0;  ///< 0: all.
  float top_p = 1;    ///< Source: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
  float min_p = 0;    ///< Source: Nguyen et al., "Turning Up the Heat: Min-p Sampling", 2024.
  /// Logits of tokens that the sequence holds are divided by it where positive, else multiplied. 1: none.
  /// Source: Keskar et al., "CTRL: A Conditional Transformer Language Model for Controllable Generation", 2019.
  float repetition_penalty = 1;
  std::vector<std::pair<int32_t, float>> logit_bias = {};  ///< Tokens, and what their logits are raised by.
  uint64_t seed = 0;
};

/// Throws Error that names the first field without meaning.
void check(const Sampling& sampling, int64_t vocab_size);

/// Chooses the tokens of one answer. Draw i is a function of the seed and i alone.
class Sampler {
 public:
  /// Throws Error as `check` does.
  Sampler(Sampling sampling, int64_t vocab_size);

  /// The token behind `tokens`, from its logits [V]. Throws Error where a logit is not finite.
  int32_t next(std::span<const float> logits, std::span<const int32_t> tokens);

 private:
  struct Candidate {
    int32_t token;
    double weight;  // Its probability as a part of the likeliest token's.
  };
  const Candidate& likeliest(size_t rank);
  int32_t draw(double uniform);

  Sampling sampling_;
  uint64_t draws_ = 0;
  std::vector<float> scores_;
  std::vector<bool> penalised_;
  std::vector<Candidate> candidates_;
  std::vector<Candidate> taken_;  // The likeliest of them, in order.
};

}  // namespace tinyllm
