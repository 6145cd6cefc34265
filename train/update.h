#pragma once

#include <tinyllm/model/transformer.h>
#include <tinyllm/train/recipe.h>

namespace tinyllm {

/// What follows the backward pass in a step: clipping, and AdamW or Muon on every weight.
struct Update {
  Tensor norm;                  ///< Of the gradient before clipping.
  std::vector<Tensor> results;  ///< To be asked of `compile`.
};

/// Appends the update of `weights` by `grads` (both as in `trained_specs`), in a graph that has the input "step", i32
/// [1], counted from 1; adds the input "rate", f32 [1].
Update append_update(Graph& graph, const ModelConfig& config, const Recipe& recipe, const std::vector<Tensor>& weights,
                     const std::vector<Tensor>& grads, Tensor step);

/// The states that the update keeps from step to step, in the order in which a checkpoint has them.
std::vector<Store::Wanted> update_states(const ModelConfig& config, const Recipe& recipe);

/// The state that holds the moving average of a weight. It begins as zeros, so that after t steps it is
/// (1 - ema_decay^t) times too small.
std::string ema_name(const std::string& weight);

}  // namespace tinyllm
