#include <tinyllm/train/objectives/next_token.h>

#include <tinyllm/ops/ops.h>

#include <algorithm>

namespace tinyllm {

Tensor next_token_loss(const LossInputs& in) {
  return lm_loss(in.config, transformer(in.graph, in.config, in.inputs), in.targets, in.recipe.z_loss);
}

int64_t count_learned(std::span<const int32_t> targets) {
  return static_cast<int64_t>(targets.size()) - std::count(targets.begin(), targets.end(), kIgnore);
}

Objective next_token() {
  return {next_token_loss, [](const Batch& batch) { return static_cast<double>(count_learned(batch.targets)); }};
}

}  // namespace tinyllm
