#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/store.h>

#include <span>
#include <string>
#include <vector>

namespace tinyllm {

/// The role of a weight, which decides how optimisers, adapters and formats treat it. Biases and norms have no weight
/// decay.
enum class WeightRole : uint8_t {
  embedding,  ///< [vocabulary, width]: rows are looked up.
  head,       ///< [vocabulary, width]: multiplied with hidden states.
  matrix,     ///< Any other matrix [out, in], or an adapter of one.
  norm,
  bias,
};

/// Rows of a weight that other formats store as a separate tensor.
struct WeightPart {
  int64_t rows;
  std::string hugging_face;  ///< Name in Hugging Face folders.
  std::string gguf;          ///< Name in GGUF files.
  /// The number of heads for queries and keys, which RoPE rotates; else 0. See `gguf_row`.
  int64_t rotary_heads = 0;

  /// The name without its last word: "model.layers.0.mlp.up_proj".
  std::string module() const { return hugging_face.substr(0, hugging_face.rfind('.')); }
};

/// One weight, declared once: what a file must hold, how it is initialised, trained, adapted and exchanged.
struct WeightSpec {
  std::string name;
  Shape shape;
  WeightRole role;
  float init_mean = 0;  ///< Initial values are normally distributed, with this mean and standard deviation.
  float init_std = 0;
  Type type = f32;
  std::string lora_target = {};        ///< Name of the matrix within its block; empty: it cannot have adapters.
  std::vector<WeightPart> parts = {};  ///< In the order of their rows.

  /// The number of equal matrices that the weight consists of. Muon treats them one by one. The queries that share a
  /// key head count as one matrix.
  int64_t equal_parts() const;
};

/// Every weight, in the order of the file: tok_emb.weight, blocks.I.{norm1, attn.qkv, attn.q_norm, attn.k_norm, attn.o,
/// norm2, ffn.w1, ffn.w2}, norm.weight, lm_head.weight, without those that the config does not have. Rows of attn.qkv
/// are Q, then K, then V. Rows of a gated ffn.w1 are the gate, then the values that it scales.
std::vector<WeightSpec> weight_specs(const ModelConfig& config);

/// The names that `Lora::targets` may contain: the matrices of a block, and the parts that other formats store
/// separately.
std::vector<std::string> lora_targets();
/// The name of the adapter of a part of a matrix: blocks.I.attn.qkv.q_proj. Its weights add .lora_a and .lora_b.
std::string adapter_name(const WeightSpec& matrix, const WeightPart& part);
/// The adapters of the config's LoRA, part by part in the order of the weights: first A [rank, in], then B [rows of the
/// part, rank].
std::vector<WeightSpec> adapter_specs(const ModelConfig& config);

/// The weights that training changes: the adapters if there are any, else all.
std::vector<WeightSpec> trained_specs(const ModelConfig& config);

/// The number of parameters, without adapters. Throws Error when 64 bits cannot hold it.
int64_t parameter_count(const ModelConfig& config);

/// Adds weights to a store and initialises them. The values depend only on the seed. New adapters have B = 0, so they
/// change no results.
void init_weights(const std::vector<WeightSpec>& specs, uint64_t seed, Store& store);

/// Reads rows of a weight of any type, from `first` on, as floats. A row of a norm or a bias is one number.
void read_rows(const Store::Entry& weight, int64_t first, std::span<float> out);

}  // namespace tinyllm
