#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// y = x / sqrt(mean(x^2) + eps) * w over the innermost axis. x [..., C], w [C].
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
Tensor rms_norm(Tensor x, Tensor w, float eps);
/// y = (x - mean) / sqrt(variance + eps) * w + b over the innermost axis, where the variance is the mean of (x -
/// mean)^2. x [..., C], w and b [C]. Source: Ba, Kiros, Hinton, "Layer Normalization", 2016.
Tensor layer_norm(Tensor x, Tensor w, Tensor b, float eps);
/// The same over each of `groups` parts of the channels of an image with all its pixels, with w and b for each channel.
/// x [B, C, ...], w and b [C], C a multiple of the groups. Source: Wu and He, "Group Normalization", 2018.
Tensor group_norm(Tensor x, int64_t groups, Tensor w, Tensor b, float eps);
/// x / sqrt(sum(x^2) + eps) over the innermost axis: rows of length 1. x [..., C].
Tensor l2_normalize(Tensor x, float eps = 1e-12f);
/// exp(x - max x) / sum(exp(x - max x)) over an axis. Minus infinity gives 0. A row with NaN or plus infinity, or with
/// only minus infinity, gives NaN.
Tensor softmax(Tensor x, int axis = -1);
/// log(softmax(x)) = x - log(sum(exp(x))), without the overflow of either. A row with NaN or plus infinity, or with
/// only minus infinity, has NaN.
Tensor log_softmax(Tensor x, int axis = -1);

}  // namespace tinyllm
