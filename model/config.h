#pragma once

#include <tinyllm/model/rope_scaling.h>
#include <tinyllm/tensor/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Low-rank adapters of some matrices of every block: y = x W^T + scale (x A^T) B^T, A [rank, in], B [out, rank]. Each
/// part of a fused matrix has its own: queries, keys, values. Training changes only A and B. Source: Hu et al., "LoRA:
/// Low-Rank Adaptation of Large Language Models", 2021. With `rslora` the scale is alpha / sqrt(rank) instead of alpha
/// / rank: Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023.
struct Lora {
  int64_t rank = 0;  ///< 0: no adapters.
  float alpha = 16;
  bool rslora = false;
  /// Matrices of a block (attn.qkv) or their parts (q_proj): names as `lora_targets` lists them.
  std::vector<std::string> targets = {"attn.qkv", "attn.o", "ffn.w1", "ffn.w2"};

  struct Size {
    int64_t rank = 0;  ///< 0: no adapter.
    float scale = 0;
    bool operator==(const Size&) const = default;
  };
  /// Where adapters differ from one another, or some layers have none: of each module ("model.layers.0.mlp.up_proj")
  /// that has one. If not empty, it holds instead of alpha and targets, and `rank` is the greatest.
  std::map<std::string, Size> modules = {};
  /// Weights of the adapter's folder that replace the model's, and are saved with the adapters.
  std::vector<std::string> replaced = {};

  /// Of the part `module` of a matrix.
  Size size_of(std::string_view matrix, const std::string& module) const;
  float scale() const;
  bool operator==(const Lora&) const = default;
};

/// Types of the weights: f32, or packed for inference (ops/quantized.h). Norms and biases are always f32.
struct WeightTypes {
  Type matrices = f32;  ///< Of the blocks.
  Type tables = f32;    ///< A row for each token: embeddings and head.

  bool quantized() const { return matrices.is_packed() || tables.is_packed(); }
  bool operator==(const WeightTypes&) const = default;
};

/// What a model of weights of one type has: f32 or a packed one. Tables are in q8_0 where matrices are in q4_0, as they
/// are more sensitive.
WeightTypes weight_types(Type type);

/// The sizes of a decoder-only Transformer. The default model has about 41.6 million parameters.
struct ModelConfig {
  int64_t vocab_size = 16000;
  int64_t dim = 512;
  int64_t n_layers = 8;
  int64_t n_heads = 8;
  int64_t n_kv_heads =
      0;                 ///< Heads of keys and values, each shared by several heads of queries; 0: as many as n_heads.
  int64_t head_dim = 0;  ///< Size of a head; 0: dim / n_heads.
  bool qkv_bias = false;
  bool o_bias = false;
  bool qk_norm = false;  ///< Every head of queries and of keys has a norm before the rotation.
  int64_t ffn_dim = 2048;
  bool ffn_gated = false;  ///< SwiGLU instead of silu.
  bool ffn_bias = true;
  bool tied_head = false;          ///< The head is the table of embeddings.
  int64_t context = 512;           ///< Tokens that the model is trained to attend to.
  int64_t window = 0;              ///< A token sees this many tokens, itself among them; 0: all before it.
  int64_t first_window_layer = 0;  ///< Layers before this one see all tokens.
  float norm_eps = 1e-5f;
  float rope_base = 10000.0f;
  RopeScaling rope_scaling = {};
  float embedding_scale = 1;  ///< Of what the first block receives,
  float residual_scale = 1;   ///< of what a block adds to the residual stream,
  float logit_scale = 1;      ///< and of what the head receives.
  float dropout = 0.1f;       ///< In training: of attention weights and in the feed-forward network.
  WeightTypes types = {};
  Lora lora = {};  ///< Not in `config.json`: adapters have their own files, see lora.h.

  int64_t head_size() const { return head_dim == 0 ? dim / n_heads : head_dim; }
  int64_t q_dim() const { return n_heads * head_size(); }
  int64_t window_of(int64_t layer) const { return layer >= first_window_layer ? window : 0; }
  int64_t kv_heads() const { return n_kv_heads == 0 ? n_heads : n_kv_heads; }
  int64_t kv_dim() const { return kv_heads() * head_size(); }
  bool operator==(const ModelConfig&) const = default;
};

/// The same sizes in the form of Llama, which other programs know: SwiGLU without biases. Its feed-forward network is
/// two thirds as wide, so that it has as many weights; with a norm of queries and keys it is the form of Qwen3.
ModelConfig as_llama(ModelConfig config, bool qk_norm = false);

/// Throws Error that names the first field of a `rope_scaling` that has no meaning for heads of this size.
void check(const RopeScaling& scaling, int64_t head_size);
/// Throws Error that names the first field without meaning: a size out of range, sizes that do not divide, a number
/// that is not finite, more than 2^50 weights.
void check(const ModelConfig& config);

/// Reads `config.json`, with the field names of Hugging Face. Throws Error that names the file and the field when the
/// file is not such JSON, is another kind of model, lacks a field, or fails `check`.
ModelConfig load_config(const std::filesystem::path& path);
/// The hash of the tokenizer that a `config.json` records; empty in files that were written before it was recorded.
/// Throws Error when the file cannot be read or the field is not a hash.
std::optional<uint64_t> load_tokenizer_hash(const std::filesystem::path& path);
/// `ends` are the tokens that end an answer, for tokenizers that do not know them. Throws Error when the config fails
/// `check` or the file cannot be written.
void save_config(const ModelConfig& config, const std::filesystem::path& path,
                 std::optional<uint64_t> tokenizer_hash = {}, std::span<const int32_t> ends = {});

}  // namespace tinyllm
