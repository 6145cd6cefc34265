#pragma once

#include <tinyllm/model/weights.h>
#include <tinyllm/ops/ops.h>

#include <functional>
#include <vector>

namespace tinyllm {

/// The input of a forward pass. Tensors are i32 [B, T].
struct TransformerInputs {
  Tensor tokens;
  Tensor positions;      ///< Position of each token in its document, from 0.
  Tensor starts = {};    ///< For each token, the index of the first token that it sees; empty: the first of its row.
  Dropout dropout = {};  ///< `p` is taken from the config; an empty step means no dropout.
  /// How hidden states are multiplied with packed weights: as in generation or as in training.
  PackedInput packed_input = PackedInput::quantized;
  /// If not null, receives the residual stream [B, T, C] at the start of each block, for
  /// `GradientOptions::checkpoints`.
  std::vector<Tensor>* residuals = nullptr;
};

/// The hidden states [B, T, C] after the last norm:
///   x = tok_emb[token];  x += o(attention(rope(q), rope(k), v)) with q, k, v = qkv(norm1(x));
///   x += w2(dropout(silu(w1 norm2(x) + b1))) + b2;  norm(x).
/// Another function of the feed-forward network replaces silu, as the config says. Biases, norms of q and k, a sliding
/// window and scales of embeddings, branches and the result are as in the config.
Tensor transformer(Graph& graph, const ModelConfig& config, const TransformerInputs& inputs);

/// Logits of the next token [..., V] from hidden states [..., C].
Tensor lm_head(const ModelConfig& config, Tensor hidden);
/// Mean loss of next tokens i32 [...] from hidden states [..., C]: cross_entropy(lm_head(hidden), targets), fused, and
/// without rounding hidden states where the head is packed. See linear_cross_entropy for `z_loss`.
Tensor lm_loss(const ModelConfig& config, Tensor hidden, Tensor targets, float z_loss = 0);
/// log p(target) of each of the next tokens i32 [...]; 0 where it is kIgnore. See token_log_probs of
/// ops.h.
Tensor token_log_probs(const ModelConfig& config, Tensor hidden, Tensor targets);

/// The attention of a block, from q [B, T, H, D] and k, v [B, T, G, D] after the rotation. The graphs of training and
/// generation differ only here. Called once for each layer.
using AttentionFn = std::function<Tensor(int64_t layer, Tensor q, Tensor k, Tensor v)>;
Tensor transformer(Graph& graph, const ModelConfig& config, const TransformerInputs& inputs, const AttentionFn& attend);

}  // namespace tinyllm
