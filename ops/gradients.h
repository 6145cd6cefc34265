#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// Appends the backward nodes and returns d loss / d t for each t of `wrt`, of t's shape: zeros where the loss does
/// not depend on t. `loss` has one element. Throws Error when an op on the way has no gradient.
std::vector<Tensor> gradients(Tensor loss, const std::vector<Tensor>& wrt);

}  // namespace tinyllm
