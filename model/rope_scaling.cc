#include <tinyllm/model/rope_scaling.h>

#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tinyllm {
namespace {

void scale_llama3(const RopeScaling& s, std::vector<double>& frequencies) {
  const auto context = static_cast<double>(s.original_context);
  const double low = static_cast<double>(s.low_freq_factor), high = static_cast<double>(s.high_freq_factor);
  for (double& frequency : frequencies) {
    const double rotations = context * frequency / (2 * std::numbers::pi);  // In the original context.
    if (rotations > high) continue;
    const double kept = rotations < low ? 0 : (rotations - low) / (high - low);
    frequency *= kept + (1 - kept) / static_cast<double>(s.factor);
  }
}

void scale_yarn(const RopeScaling& s, int64_t head_size, double base, std::vector<double>& frequencies) {
  const auto d = static_cast<double>(head_size), context = static_cast<double>(s.original_context);
  // The index i, a real number, whose frequency makes this many rotations in the original context.
  const auto element_of = [&](float rotations) {
    return d * std::log(context / (2 * std::numbers::pi * static_cast<double>(rotations))) / (2 * std::log(base));
  };
  const double first = std::max(std::floor(element_of(s.beta_fast)), 0.0);
  double last = std::min(std::ceil(element_of(s.beta_slow)), d - 1);
  if (last == first) last += 0.001;  // Avoids a division by 0, as the authors' code does.
  for (size_t i = 0; i < frequencies.size(); ++i) {
    const double divided = std::clamp((static_cast<double>(i) - first) / (last - first), 0.0, 1.0);
    frequencies[i] *= 1 - divided + divided / static_cast<double>(s.factor);
  }
}

}  // namespace

RopeAngles scaled_angles(int64_t head_size, double base, const RopeScaling& s, int64_t context) {
  const auto d = static_cast<double>(head_size), factor = static_cast<double>(s.factor);
  if (s.type == RopeType::dynamic && context > s.original_context) {
    const double longer = static_cast<double>(context) / static_cast<double>(s.original_context);
    base *= std::pow(factor * longer - (factor - 1), d / (d - 2));
  }
  RopeAngles angles{rope_frequencies(head_size, base)};
  switch (s.type) {
    case RopeType::none:
    case RopeType::dynamic:
      break;
    case RopeType::linear:
      for (double& frequency : angles.frequencies) frequency /= factor;
      break;
    case RopeType::llama3:
      scale_llama3(s, angles.frequencies);
      break;
    case RopeType::yarn:
      scale_yarn(s, head_size, base, angles.frequencies);
      angles.scale = s.attention_factor > 0 ? static_cast<double>(s.attention_factor) : 0.1 * std::log(factor) + 1;
      break;
  }
  return angles;
}

}  // namespace tinyllm
