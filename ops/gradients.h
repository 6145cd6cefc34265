#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

struct GradientOptions {
  /// Where not empty: of what the forward pass computes before the last of these, the backward pass needs these alone
  /// and computes the rest again, from one to the next, as it reaches it. Memory for time; the same bits.
  /// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
  std::vector<Tensor> checkpoints = {};
};

/// Appends the backward nodes and returns d loss / d t for each t of `wrt`, of t's shape: zeros where the loss does
/// not depend on t. `loss` has one element. Throws Error when an op on the way has no gradient, when a tensor of `wrt`
/// is empty or of another graph, or when a checkpoint is not computed by a node of this graph.
std::vector<Tensor> gradients(Tensor loss, const std::vector<Tensor>& wrt, const GradientOptions& options = {});

}  // namespace tinyllm
