#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

namespace tinyllm {

/// How the next token is chosen from logits:
/// 1. Add `logit_bias`. 2. Apply the penalties. 3. At temperature 0, take the largest logit, the lowest token
/// of equal ones. Otherwise compute softmax(logits / temperature), and 4. keep the `top_k` likeliest tokens; 5. of
/// these the smallest set whose probabilities reach `top_p` of their sum; 6. of these the ones with at least `min_p` of
/// the likeliest token's probability; 7. draw one of those that are left.
struct Sampling {
  float temperature = 0;
  int64_t top_k = 0;  ///< 0: all.
  float top_p = 1;    ///< Source: Holtzman et al., "The Curious Case of Neural Text Degeneration", 2020.
  float min_p = 0;    ///< Source: Nguyen et al., "Turning Up the Heat: Min-p Sampling", 2024.
  /// Logits of tokens that the sequence holds are divided by it if positive, and multiplied otherwise. 1: off.
  /// Source: Keskar et al., "CTRL: A Conditional Transformer Language Model for Controllable Generation", 2019.
  float repetition_penalty = 1;
  /// From the logit of a token that the answer has n times, n frequency_penalty is subtracted, and presence_penalty if
  /// n > 0. 0: off. Source: OpenAI API reference, "Create chat completion".
  float frequency_penalty = 0;
  float presence_penalty = 0;
  std::vector<std::pair<int32_t, float>> logit_bias = {};  ///< Tokens, and what is added to their logits.
  uint64_t seed = 0;
};

/// Throws Error that names the first invalid field.
void check(const Sampling& sampling, int64_t vocab_size);

/// Raised by every change after which a seed may draw other tokens. The server's fingerprint depends on it.
inline constexpr int kSamplerRevision = 2;

/// The seed of one of several answers to a prompt: `seed` itself for answer 0, else a function of both.
uint64_t seed_of_choice(uint64_t seed, int64_t choice);

/// Chooses the tokens of one answer. Draw i is a function of the seed and i alone.
class Sampler {
 public:
  /// A vocabulary may have rows without a token: those from `tokens` on are never drawn. Throws Error as `check` does.
  Sampler(Sampling sampling, int64_t vocab_size, int64_t tokens = std::numeric_limits<int64_t>::max());

  /// The token after `tokens`, from its logits [V]. `answer` are those of the tokens that belong to the answer. Only
  /// tokens of `allowed` [V] are drawn; null: all. A token with the logit -inf, or whose probability divided by that of
  /// the likeliest is 0 in single precision, is never drawn. Throws Error when a logit is NaN or +inf, or when those of
  /// all allowed tokens are -inf.
  int32_t next(std::span<const float> logits, std::span<const int32_t> tokens, std::span<const int32_t> answer = {},
               const std::vector<bool>* allowed = nullptr);

 private:
  struct Candidate {
    int32_t token;
    float weight;
  };
  struct Bucket {
    size_t count = 0;
    double weight = 0;
  };
  void apply_penalties(std::span<const int32_t> tokens, std::span<const int32_t> answer);
  void check_scores() const;
  void weigh(float greatest);
  void keep_likeliest(size_t count, double enough);
  void keep_at_least(float least);
  int32_t draw(double uniform) const;

  Sampling sampling_;
  int64_t tokens_;
  uint64_t draws_ = 0;
  std::vector<float> scores_;
  std::vector<bool> penalised_;
  std::vector<float> weights_;   // Probabilities divided by that of the likeliest token; 0: is not drawn.
  std::vector<Bucket> buckets_;  // Of tokens with about the same weight.
  std::vector<Candidate> candidates_;
};

}  // namespace tinyllm
