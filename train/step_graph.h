#pragma once

#include <tinyllm/tensor/store.h>
#include <tinyllm/train/objective.h>

namespace tinyllm {

/// The graph of a training step, or of one of its two halves.
struct StepGraph {
  Graph graph;
  Tensor loss;                  ///< Empty in the update alone.
  Tensor norm;                  ///< Of the gradient before clipping; empty in the pass alone.
  std::vector<Tensor> outputs;  ///< The outputs to pass to `compile`.
};

/// A whole step over a batch of this shape. Gradients share the memory of activations.
void build_step(StepGraph& built, const ModelConfig& config, const Recipe& recipe, const Objective& objective,
                Shape shape);
/// Its first half: adds the gradients of a batch, times the input "share", to states.
void build_pass(StepGraph& built, const ModelConfig& config, const Recipe& recipe, const Objective& objective,
                Shape shape);
/// Its second half: applies these gradients.
void build_update(StepGraph& built, const ModelConfig& config, const Recipe& recipe);

/// The states between the halves: the gradients of `trained_specs`, in this order.
std::vector<Store::Wanted> gradient_states(const ModelConfig& config);

/// The shape of the batch of one pass if rows have this length.
Shape pass_shape(const Recipe& recipe, int64_t seq_len);

}  // namespace tinyllm
