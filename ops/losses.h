#pragma once

#include <tinyllm/tensor/graph.h>

/// Losses, each a mean: [1]. x and y have one shape. cross_entropy and its like are in tokens.h.
namespace tinyllm {

/// mean((x - y)^2).
Tensor mse(Tensor x, Tensor y);
/// The mean of d^2 / (2 beta) where d = |x - y| < beta, and of d - beta / 2 elsewhere. beta > 0.
/// Source: Girshick, "Fast R-CNN", 2015.
Tensor smooth_l1(Tensor x, Tensor y, float beta = 1);
/// -mean(y log s + (1 - y) log(1 - s)) with s = sigmoid(x): binary cross-entropy. Computed as
/// y log(1 + e^-x) + (1 - y) log(1 + e^x), which is finite for every finite x and cancels nothing for y in [0, 1].
Tensor binary_cross_entropy_with_logits(Tensor x, Tensor y);
/// sum(p (log p - log_q)) / rows: the divergence of q from p, from log_q [..., C] and p [..., C] with p >= 0. A p of 0
/// counts 0. Source: Kullback and Leibler, "On Information and Sufficiency", 1951.
Tensor kl_div(Tensor log_q, Tensor p);
/// Mean of -log_probs[target] over the targets that are not kIgnore; 0 when there are none. log_probs [..., V],
/// targets i32 [...]. Running throws Error on a target outside [0, V).
Tensor nll(Tensor log_probs, Tensor targets);

}  // namespace tinyllm
