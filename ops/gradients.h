#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

struct GradientOptions {
  /// Activation checkpoints. Before the last of these, the backward pass keeps only these and recomputes everything
  /// between them: less memory, more time, identical results.
  /// Source: Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016.
  std::vector<Tensor> checkpoints = {};
};

/// Appends the backward nodes and returns d loss / d t for each t of `wrt`, of t's shape: zeros if the loss does not
/// depend on t. `loss` has one element. Throws Error when an op on the way has no gradient, when a tensor of `wrt` is
/// empty, not f32 or of another graph, or when a checkpoint is not computed by a node of this graph.
std::vector<Tensor> gradients(Tensor loss, const std::vector<Tensor>& wrt, const GradientOptions& options = {});

}  // namespace tinyllm
