#pragma once

#include <tinyllm/tensor/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Adapters of low rank beside some matrices of every block: y = x W^T + (alpha / rank) (x A^T) B^T, A [rank, in], B
/// [out, rank]. Training moves A and B alone. Source: Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models",
/// 2021.
struct Lora {
  int64_t rank = 0;  ///< 0: no adapters.
  float alpha = 16;
  std::vector<std::string> targets = {"attn.qkv", "attn.o", "ffn.w1", "ffn.w2"};  ///< Of a block, by name.

  bool adapts(std::string_view name) const;
  float scale() const { return alpha / static_cast<float>(rank); }
  bool operator==(const Lora&) const = default;
};

/// What weights are held as: f32, or quantised (q8_0, q4_0, bf16) to answer with. Norms and biases are f32 in any case.
struct WeightTypes {
  DType matrices = f32;  ///< Between hidden states.
  DType tables = f32;    ///< With a row for each token: embeddings and head.

  bool quantized() const { return is_quantized(matrices) || is_quantized(tables); }
  bool operator==(const WeightTypes&) const = default;
};

/// The sizes of a decoder-only Transformer. The values here are the default model's, of about 41.6 million parameters.
struct ModelConfig {
  int64_t vocab_size = 16000;
  int64_t dim = 512;
  int64_t n_layers = 8;
  int64_t n_heads = 8;
  int64_t n_kv_heads = 0;  ///< Heads of keys and values, each shared by several of the queries; 0: one for each.
  int64_t ffn_dim = 2048;
  bool ffn_gated = false;  ///< SwiGLU, in place of silu alone.
  bool ffn_bias = true;
  int64_t context = 512;  ///< Tokens that the model is trained to see at once.
  float norm_eps = 1e-5f;
  float rope_base = 10000.0f;
  float dropout = 0.1f;  ///< While training: of attention weights and inside the feed-forward network.
  WeightTypes types = {};
  Lora lora = {};  ///< Not part of `config.json`: adapters have files of their own, see lora.h.

  int64_t head_size() const { return dim / n_heads; }
  int64_t kv_heads() const { return n_kv_heads == 0 ? n_heads : n_kv_heads; }
  int64_t kv_dim() const { return kv_heads() * head_size(); }
  bool operator==(const ModelConfig&) const = default;
};

/// Throws Error that names the first field that makes no model.
void check(const ModelConfig& config);

/// `config.json`, with the field names of Hugging Face. Reading throws Error on a file that is no such JSON, on a field
/// that is missing, unknown in its type, or without meaning, and on another kind of model.
ModelConfig load_config(const std::filesystem::path& path);
void save_config(const ModelConfig& config, const std::filesystem::path& path);

}  // namespace tinyllm
