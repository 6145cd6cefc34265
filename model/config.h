#pragma once

#include <tinyllm/model/rope_scaling.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/types.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Low-rank adapters of some matrices of every block: y = x W^T + scale (x A^T) B^T, A [rank, in], B [out, rank].
/// Queries, keys and values have separate adapters, though they share one matrix. Training changes only A and B. The
/// scale is alpha / rank, or alpha / sqrt(rank) with `rslora`. Sources: Hu et al., "LoRA: Low-Rank Adaptation of Large
/// Language Models", 2021; Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023.
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
  /// The adapter of each module ("model.layers.0.mlp.up_proj"), for when adapters differ or some layers have none. If
  /// not empty, it replaces alpha and targets, and `rank` is the largest rank.
  std::map<std::string, Size> modules = {};
  /// Weights in the adapter's folder that replace the model's. They are saved with the adapters.
  std::vector<std::string> replaced = {};

  /// The adapter of `module`, which is a part of `matrix`.
  Size size_of(std::string_view matrix, const std::string& module) const;
  float scale() const;
  bool operator==(const Lora&) const = default;
};

/// Types of the weights: f32, or packed for inference (ops/quantized.h). Norms and biases are always f32.
struct WeightTypes {
  Type matrices = f32;  ///< The matrices of the blocks.
  Type tables = f32;    ///< Embeddings and head, with a row for each token.

  bool quantized() const { return matrices.is_packed() || tables.is_packed(); }
  bool operator==(const WeightTypes&) const = default;
};

/// f32, q8_0, q4_0 or bf16 (packed) by its name; nothing if it is another name.
std::optional<Type> weight_type(std::string_view name);
/// The types of a model that is stored as `type`, which is f32 or a packed type. Tables are more sensitive to rounding
/// than matrices, so with q4_0 they are q8_0.
WeightTypes weight_types(Type type);

/// The function within the feed-forward network, as `hidden_act` in `config.json` names it: silu(w1 x); swiglu, the
/// gated silu of Llama, for which w1 has twice the rows; or max(w1 x, 0)^2.
enum class FeedForward : uint8_t { silu, swiglu, relu2 };
constexpr auto names(FeedForward) { return std::array{"silu", "swiglu", "relu2"}; }

/// The sizes of a decoder-only Transformer. The default model has about 41.6 million parameters.
struct ModelConfig {
  int64_t vocab_size = 16000;
  int64_t dim = 512;
  int64_t n_layers = 8;
  int64_t n_heads = 8;
  int64_t n_kv_heads = 0;  ///< Heads of keys and values, each shared by several query heads; 0: n_heads.
  int64_t head_dim = 0;    ///< Size of a head; 0: dim / n_heads.
  bool qkv_bias = false;
  bool o_bias = false;
  bool qk_norm = false;  ///< Normalises each head of queries and keys before the rotation.
  int64_t ffn_dim = 2048;
  FeedForward ffn = FeedForward::silu;
  bool ffn_bias = true;
  bool tied_head = false;          ///< The head and the embeddings are one matrix.
  int64_t context = 512;           ///< The most tokens that the model is trained on at once.
  int64_t window = 0;              ///< A token sees this many tokens, including itself; 0: all before it.
  int64_t first_window_layer = 0;  ///< Layers before this one see all tokens.
  float norm_eps = 1e-5f;
  float rope_base = 10000.0f;
  RopeScaling rope_scaling = {};
  float embedding_scale = 1;  ///< Multiplies the input of the first block,
  float residual_scale = 1;   ///< what each block adds to the residual stream,
  float logit_scale = 1;      ///< and the input of the head.
  float dropout = 0.1f;       ///< In training: for attention weights and in the feed-forward network.
  WeightTypes types = {};
  Lora lora = {};  ///< Not in `config.json`: adapters have their own files, see lora.h.

  int64_t head_size() const { return head_dim == 0 ? dim / n_heads : head_dim; }
  int64_t q_dim() const { return n_heads * head_size(); }
  int64_t window_of(int64_t layer) const { return layer >= first_window_layer ? window : 0; }
  int64_t kv_heads() const { return n_kv_heads == 0 ? n_heads : n_kv_heads; }
  int64_t kv_dim() const { return kv_heads() * head_size(); }
  bool operator==(const ModelConfig&) const = default;
};

/// The same sizes in the form of Llama, which other programs know: SwiGLU without biases. SwiGLU has three matrices
/// instead of two, so its feed-forward network is two thirds as wide. With `qk_norm` it is the form of Qwen3.
ModelConfig as_llama(ModelConfig config, bool qk_norm = false);

/// Throws Error that names the first invalid field of a `rope_scaling` for heads of this size.
void check(const RopeScaling& scaling, int64_t head_size);
/// Throws Error that names the first invalid field: a size out of range, sizes that do not divide each other, a number
/// that is not finite, more than 2^50 weights.
void check(const ModelConfig& config);

/// Reads our `config.json`, which has Hugging Face's field names. Throws Error that names the file and the field when
/// the file is not JSON, describes another kind of model, lacks a field, or fails `check`.
ModelConfig load_config(const std::filesystem::path& path);
/// The tokenizer's hash in a `config.json`. Empty for files of older versions, which did not record it. Throws Error
/// when the file cannot be read or the field is not a hash.
std::optional<uint64_t> load_tokenizer_hash(const std::filesystem::path& path);
/// `ends` are the tokens that end an answer, for tokenizers that do not know them. Throws Error when the config fails
/// `check` or the file cannot be written.
void save_config(const ModelConfig& config, const std::filesystem::path& path,
                 std::optional<uint64_t> tokenizer_hash = {}, std::span<const int32_t> ends = {});

}  // namespace tinyllm
