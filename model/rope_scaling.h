#pragma once

#include <tinyllm/tensor/base/names.h>

#include <array>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// Ways to change the frequencies of rotary position embeddings, so that a model reads more tokens than it was
/// pretrained on. The names are those of Hugging Face's `rope_type`.
enum class RopeType : uint8_t {
  none,
  linear,   ///< Every frequency is divided by `factor`.
  dynamic,  ///< The base grows with the context, once that is longer than `original_context` ("dynamic NTK").
  llama3,   ///< Long wavelengths are divided by `factor`, short ones stay, those between are blended.
  yarn,     ///< Likewise, blended by the number of rotations; angles are scaled as well.
};

constexpr auto names(RopeType) { return std::array{"none", "linear", "dynamic", "llama3", "yarn"}; }

struct RopeScaling {
  RopeType type = RopeType::none;
  float factor = 1;
  int64_t original_context = 0;  ///< Tokens that the model was pretrained on.
  // llama3: wavelengths above original_context / low_freq_factor are long, below original_context / high_freq_factor
  // short.
  float low_freq_factor = 1;
  float high_freq_factor = 4;
  // yarn: frequencies of more than `beta_fast` rotations in the original context stay, those of fewer than `beta_slow`
  // are divided by `factor`.
  float beta_fast = 32;
  float beta_slow = 1;
  float attention_factor = 0;  ///< yarn: scale of cosines and sines; 0: 0.1 ln(factor) + 1.

  bool operator==(const RopeScaling&) const = default;
};

/// What rope_angles takes.
struct RopeAngles {
  std::vector<double> frequencies;
  double scale = 1;
};

/// The frequencies of heads of this size, scaled. `context` is the longest text the model is used for; only `dynamic`
/// depends on it. Sources: Chen et al., "Extending Context Window of Large Language Models via Positional
/// Interpolation", 2023 (linear); Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models",
/// 2023 (dynamic, yarn); Llama 3.1's model card (llama3).
RopeAngles scaled_angles(int64_t head_size, double base, const RopeScaling& scaling, int64_t context);

}  // namespace tinyllm
