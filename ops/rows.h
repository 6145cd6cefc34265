#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// y = x / sqrt(mean(x^2) + eps) * w over the innermost axis. x [..., C], w [C].
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
Tensor rms_norm(Tensor x, Tensor w, float eps);
/// exp(x - max x) / sum(exp(x - max x)) over the innermost axis. Minus infinity gives 0. A row with NaN or plus
/// infinity, or with only minus infinity, gives NaN.
Tensor softmax(Tensor x);

}  // namespace tinyllm
