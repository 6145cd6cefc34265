#include <tinyllm/model/hugging_face_config.h>

#include <tinyllm/model/config_json.h>

#include <cmath>

namespace tinyllm {
namespace {

template <class T>
void read_optional(const Json& json, const char* field, T& into) {
  if (const Json* value = find_field(json, field)) read_value(*value, field, into);
}

// Fields that would change the computation in a way that no model here has. Each may be missing, null or as given.
void check_unsupported(const Json& json) {
  std::string activation = "silu";
  read_optional(json, "hidden_act", activation);
  if (activation != "silu") throw Error("hidden_act: is {}, expected \"silu\"", shortened(activation));
  float rotated = 1;
  read_optional(json, "partial_rotary_factor", rotated);
  if (rotated != 1) throw Error("partial_rotary_factor: is {}, expected 1: whole heads are rotated", rotated);
  for (const char* field : {"num_experts", "num_local_experts", "n_routed_experts"}) {
    if (const Json* value = find_field(json, field); value != nullptr && *value != 0) {
      throw Error("{}: is {}: mixtures of experts are not supported", field, shown(*value));
    }
  }
}

// transformers 5 keeps the base beside the scaling, in `rope_parameters`; transformers 4 beside the sizes.
void read_rope(const Json& json, ModelConfig& config) {
  read_optional(json, "rope_theta", config.rope_base);
  const Json* scaling = find_field(json, "rope_parameters");
  if (scaling == nullptr) scaling = find_field(json, "rope_scaling");
  if (scaling == nullptr) return;
  config.rope_scaling = read_rope_scaling(*scaling, config.context);
  read_optional(*scaling, "rope_theta", config.rope_base);
}

void read_window(const Json& json, const Family& family, ModelConfig& config) {
  config.window = family.window;
  if (json.contains("sliding_window")) config.window = 0;  // null means none, a missing field the family's default.
  read_optional(json, "sliding_window", config.window);
  if (!family.has_window_by_layer) return;
  bool is_used = false;
  read_optional(json, "use_sliding_window", is_used);
  if (!is_used) config.window = 0;
  if (config.window != 0) read_field(json, "max_window_layers", config.first_window_layer);
}

// MiniCPM's scales, which keep training stable for any width and depth (Hu et al., "MiniCPM", 2024).
void read_scales(const Json& json, ModelConfig& config) {
  float depth = 1;
  int64_t base_dim = config.dim;
  read_optional(json, "scale_emb", config.embedding_scale);
  read_optional(json, "scale_depth", depth);
  read_optional(json, "dim_model_base", base_dim);
  config.residual_scale = depth / std::sqrt(static_cast<float>(config.n_layers));
  config.logit_scale = static_cast<float>(base_dim) / static_cast<float>(config.dim);
}

}  // namespace

ModelConfig config_from_hugging_face(const Json& json) {
  std::string type;
  read_field(json, "model_type", type);
  const Family& family = family_of(type);
  check_unsupported(json);
  ModelConfig config;
  config.ffn_gated = true;
  config.dropout = 0;
  config.norm_eps = 1e-6f;
  read_field(json, "vocab_size", config.vocab_size);
  read_field(json, "hidden_size", config.dim);
  read_field(json, "num_hidden_layers", config.n_layers);
  read_field(json, "num_attention_heads", config.n_heads);
  read_field(json, "intermediate_size", config.ffn_dim);
  read_field(json, "max_position_embeddings", config.context);
  config.n_kv_heads = family.kv_heads;
  read_optional(json, "num_key_value_heads", config.n_kv_heads);
  if (config.n_kv_heads == config.n_heads) config.n_kv_heads = 0;
  read_optional(json, "head_dim", config.head_dim);
  read_optional(json, "rms_norm_eps", config.norm_eps);
  config.qkv_bias = family.has_qkv_bias;
  if (!family.has_qkv_bias) {
    read_optional(json, "attention_bias", config.qkv_bias);
    config.o_bias = config.qkv_bias;
  }
  config.ffn_bias = false;
  read_optional(json, "mlp_bias", config.ffn_bias);
  config.qk_norm = family.has_qk_norm;
  config.tied_head = family.is_tied;
  read_optional(json, "tie_word_embeddings", config.tied_head);
  read_rope(json, config);
  read_window(json, family, config);
  if (family.has_scales) read_scales(json, config);
  check(config);
  return config;
}

}  // namespace tinyllm
