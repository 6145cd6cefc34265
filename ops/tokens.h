#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// Rows of a table: table [V, C], f32 or packed, tokens i32 [...] -> [..., C]. Running throws Error on a token outside
/// [0, V). A packed table has no gradient.
Tensor embedding(Tensor table, Tensor tokens);

/// Targets of this value carry no loss.
inline constexpr int32_t kIgnore = -100;
/// Mean of log(sum(exp(logits))) - logits[target] over the targets that are not kIgnore; 0 when there are none.
/// logits [..., V], targets i32 [...]; result [1]. Running throws Error on a target outside [0, V).
Tensor cross_entropy(Tensor logits, Tensor targets);
/// cross_entropy(linear(x, w), targets) over chunks of rows: the logits [..., V] are never in memory as a whole, and
/// the gradients come from the same pass. x [..., C], w [V, C], targets i32 [...]; result [1]. w may be a packed matrix
/// (ops/quantized.h); it is read as floats and has no gradient. Source: Wijmans et al., "Cut Your Losses in
/// Large-Vocabulary Language Models", 2024; gradients in the forward pass as in Hsu et al., "Liger Kernel", 2024.
/// `z_loss` times log(sum(exp(logits)))^2 is added to each target's loss, which keeps that sum near 1, so that logits
/// do not drift. Source: Chowdhery et al., "PaLM", 2022, which uses 1e-4.
Tensor linear_cross_entropy(Tensor x, Tensor w, Tensor targets, float z_loss = 0);
/// logits[target] - log(sum(exp(logits))), logits = linear(x, w), of each target; 0 if it is kIgnore. The logits [...,
/// V] are never in memory as a whole, and the gradient computes them again. x [..., C], w [V, C] as in
/// linear_cross_entropy, targets i32 [...]; result [...]. Running throws Error on a target outside [0, V).
Tensor token_log_probs(Tensor x, Tensor w, Tensor targets);

}  // namespace tinyllm
