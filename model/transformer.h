#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/store.h>

#include <functional>
#include <string>
#include <vector>

namespace tinyllm {

/// What a weight is to an optimiser: a table with a row for each token (embeddings, head), a matrix between hidden
/// states, or a vector (norms and biases, which do not decay).
enum class WeightRole : uint8_t { table, matrix, vector };

/// One weight of the model: what a file must hold, and how training begins and treats it.
struct WeightSpec {
  std::string name;
  Shape shape;
  float init_std;  ///< Normal with this deviation; 0: all ones for norms, zeros for biases.
  WeightRole role;
  DType dtype = f32;
  int64_t parts = 1;  ///< Matrices of equal size that are stacked in it.
};

/// Every weight, in the order of the file: tok_emb.weight, blocks.I.{norm1, attn.qkv, attn.o, norm2, ffn.w1, ffn.w2},
/// norm.weight, lm_head.weight. A matrix is [out, in]; rows of attn.qkv are all of Q, then K, then V; rows of a gated
/// ffn.w1 are all of the gate, then what it lets pass.
std::vector<WeightSpec> weight_specs(const ModelConfig& config);

/// Every adapter: blocks.I.<target>.lora_a and lora_b.
std::vector<WeightSpec> adapter_specs(const ModelConfig& config);
/// What training changes: the adapters if there are any, otherwise every weight.
std::vector<WeightSpec> trained_specs(const ModelConfig& config);

/// The number of weights, without adapters. Throws Error when 64 bits cannot hold it.
int64_t parameter_count(const ModelConfig& config);

/// Adds weights to a store and draws their initial values, as a function of the seed alone. Initial adapters do not
/// change the model's results.
void init_weights(const std::vector<WeightSpec>& specs, uint64_t seed, Store& store);

/// What a forward pass sees. Tensors are i32 [B, T].
struct TransformerInputs {
  Tensor tokens;
  Tensor positions;      ///< Of each token in its document, from 0.
  Tensor starts = {};    ///< The first position that a token attends to; empty: the first of its row.
  Dropout dropout = {};  ///< `p` is taken from the config; an empty step means none.
  /// If not null: receives the residual stream [B, T, C] at the input of each block, for
  /// `GradientOptions::checkpoints`.
  std::vector<Tensor>* residuals = nullptr;
};

/// The hidden states [B, T, C] after the last norm:
///   x = tok_emb[token];  x += o(attention(rope(q), rope(k), v)) with q, k, v = qkv(norm1(x));
///   x += w2(dropout(silu(w1 norm2(x) + b1))) + b2;  norm(x).
/// With `ffn_gated`, swiglu(w1 norm2(x)) instead of silu; without `ffn_bias`, no b1 and b2.
Tensor transformer(Graph& graph, const ModelConfig& config, const TransformerInputs& inputs);

/// Scores of the next token [..., V] from hidden states [..., C].
Tensor lm_head(const ModelConfig& config, Tensor hidden);
/// Mean loss of next tokens i32 [...] from hidden states [..., C]: cross_entropy(lm_head(hidden), targets), fused where
/// the head is not quantised; for `z_loss` see linear_cross_entropy, a quantised head has none.
Tensor lm_loss(const ModelConfig& config, Tensor hidden, Tensor targets, float z_loss = 0);

/// Attention of a block, from q [B, T, H, D] and k, v [B, T, G, D] after the rotation: what training and answering do
/// differently. Called once for each layer.
using AttentionFn = std::function<Tensor(int64_t layer, Tensor q, Tensor k, Tensor v)>;
Tensor transformer(Graph& graph, const ModelConfig& config, const TransformerInputs& inputs, const AttentionFn& attend);

}  // namespace tinyllm
