#pragma once

#include <tinyllm/train/objective.h>

#include <cstdint>
#include <span>

namespace tinyllm {

/// The mean over the targets of -log p(target), with the recipe's z-loss: lm_loss(transformer(inputs), targets).
Objective next_token();

/// The loss of `next_token`.
Tensor next_token_loss(const LossInputs& in);
/// The number of targets that are not kIgnore.
int64_t count_learned(std::span<const int32_t> targets);

}  // namespace tinyllm
