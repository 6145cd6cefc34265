#pragma once

#include <tinyllm/model/transformer.h>
#include <tinyllm/train/recipe.h>

namespace tinyllm {

/// The part of a step after the backward pass: clipping, and AdamW or Muon on every weight.
struct Update {
  Tensor norm;                  ///< Of the gradient before clipping.
  std::vector<Tensor> results;  ///< The outputs to pass to `compile`.
};

/// Appends the update of `weights` by `grads`, both in the order of `trained_specs`. `step` is i32 [1], counted from 1.
/// Adds the input "rate", f32 [1]: the learning rate.
Update append_update(Graph& graph, const ModelConfig& config, const Recipe& recipe, const std::vector<Tensor>& weights,
                     const std::vector<Tensor>& grads, Tensor step);

/// The states that the update keeps from step to step, in the order in which a checkpoint has them.
std::vector<Store::Wanted> update_states(const ModelConfig& config, const Recipe& recipe);

/// The state that holds the moving average of a weight. The average starts at zero, so after t steps it must be divided
/// by (1 - ema_decay^t).
std::string ema_name(const std::string& weight);

}  // namespace tinyllm
