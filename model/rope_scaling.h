#pragma once

#include <tinyllm/tensor/base/names.h>

#include <array>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// Ways to change the frequencies of rotary position embeddings, so that a model can read longer texts than it was
/// pretrained on. The names are those of Hugging Face's `rope_type`.
enum class RopeType : uint8_t {
  none,
  linear,   ///< Every frequency is divided by `factor`.
  dynamic,  ///< The base grows once the context exceeds `original_context` ("dynamic NTK").
  llama3,   ///< Low frequencies are divided by `factor`, high ones stay, those between are blended.
  yarn,     ///< Likewise, but blended by the number of rotations; attention is scaled as well.
};

constexpr auto names(RopeType) { return std::array{"none", "linear", "dynamic", "llama3", "yarn"}; }

struct RopeScaling {
  RopeType type = RopeType::none;
  float factor = 1;
  int64_t original_context = 0;  ///< The longest text in pretraining, in tokens.
  // llama3: frequencies with wavelengths above original_context / low_freq_factor are low; with wavelengths below
  // original_context / high_freq_factor they are high.
  float low_freq_factor = 1;
  float high_freq_factor = 4;
  // yarn: frequencies with more than `beta_fast` rotations in the original context stay. Those with fewer than
  // `beta_slow` are divided by `factor`.
  float beta_fast = 32;
  float beta_slow = 1;
  float attention_factor = 0;  ///< yarn: scale of cosines and sines; 0: 0.1 ln(factor) + 1.

  bool operator==(const RopeScaling&) const = default;
};

/// The parameters of rope_angles.
struct RopeAngles {
  std::vector<double> frequencies;
  double scale = 1;
};

/// The scaled frequencies for heads of this size. `context` is the longest text that the model is used for; only
/// `dynamic` depends on it. Sources: Chen et al., "Extending Context Window of Large Language Models via Positional
/// Interpolation", 2023 (linear); Peng et al., "YaRN: Efficient Context Window Extension of Large Language Models",
/// 2023 (dynamic, yarn); Llama 3.1's model card (llama3).
RopeAngles scaled_angles(int64_t head_size, double base, const RopeScaling& scaling, int64_t context);

}  // namespace tinyllm
