#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/store.h>

#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// What a weight is to optimisers, adapters and formats. Biases and norms do not decay.
enum class WeightRole : uint8_t {
  embedding,  ///< A row for each token, looked up.
  head,       ///< A row for each token, multiplied with hidden states.
  matrix,     ///< Between hidden states [out, in], or an adapter of one.
  norm,
  bias,
};

/// Rows of a weight that other formats store as a tensor of their own.
struct WeightPart {
  int64_t rows;
  std::string hugging_face;  ///< Name in folders of Hugging Face.
  std::string gguf;          ///< Name in GGUF files.
  /// Of queries and keys, the number of heads, whose rows RoPE rotates; else 0. See `gguf_row`.
  int64_t rotary_heads = 0;

  /// The name without its last word: "model.layers.0.mlp.up_proj".
  std::string module() const { return hugging_face.substr(0, hugging_face.rfind('.')); }
};

/// One weight, declared once: what a file must hold, how it is initialised, trained, adapted and exchanged.
struct WeightSpec {
  std::string name;
  Shape shape;
  WeightRole role;
  float init_mean = 0;  ///< Initial values are normal with this mean and deviation.
  float init_std = 0;
  Type type = f32;
  std::string lora_target = {};        ///< Name of the matrix within its block; empty: never adapted.
  std::vector<WeightPart> parts = {};  ///< In order of rows.

  /// The number of matrices of equal size that it consists of: an optimiser of matrices treats them one by one.
  /// Queries that share a key head are one.
  int64_t equal_parts() const;
};

/// Every weight, in the order of the file: tok_emb.weight, blocks.I.{norm1, attn.qkv, attn.q_norm, attn.k_norm, attn.o,
/// norm2, ffn.w1, ffn.w2}, norm.weight, lm_head.weight, as far as the config has them. Rows of attn.qkv are Q, then K,
/// then V; rows of a gated ffn.w1 are the gate, then the values it scales.
std::vector<WeightSpec> weight_specs(const ModelConfig& config);

/// What `Lora::targets` may name: the matrices of a block, and the parts that other formats store apart.
std::vector<std::string> lora_targets();
/// The adapter of a part of a matrix: blocks.I.attn.qkv.q_proj, with .lora_a and .lora_b behind it.
std::string adapter_name(const WeightSpec& matrix, const WeightPart& part);
/// The adapters of the config's LoRA, part by part in the order of the weights: first A [rank, in], then B [rows of the
/// part, rank].
std::vector<WeightSpec> adapter_specs(const ModelConfig& config);

/// What training changes: the adapters if there are any, else every weight.
std::vector<WeightSpec> trained_specs(const ModelConfig& config);

/// The number of weights, without adapters. Throws Error when 64 bits cannot hold it.
int64_t parameter_count(const ModelConfig& config);

/// Adds weights to a store and initialises them. The values are a function of the seed alone. New adapters change
/// nothing: B is 0.
void init_weights(const std::vector<WeightSpec>& specs, uint64_t seed, Store& store);

/// Rows of a weight from `first` on, of whatever type it is, as floats; of a norm or a bias its numbers.
void read_rows(const Store::Entry& weight, int64_t first, std::span<float> out);

}  // namespace tinyllm
