#include <tinyllm/model/hugging_face_config.h>

#include <tinyllm/model/config_json.h>

#include <cmath>

namespace tinyllm {
namespace {

using OrderedJson = nlohmann::ordered_json;

template <class T>
void read_optional(const Json& json, const char* field, T& into) {
  if (const Json* value = find_field(json, field)) read_value(*value, field, into);
}

// Fields that would change the computation in a way that is not implemented. Each must be missing, null, or have this
// value.
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

// transformers 5 has the base in `rope_parameters`, next to the scaling. transformers 4 has it as a field of its own.
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
  if (json.contains("sliding_window")) config.window = 0;  // null: no window. Missing: the family's default.
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

// The family that has all features of a config. Each family other than Llama is recognised by a feature of its own.
const Family& family_like(const ModelConfig& c) {
  if (c.embedding_scale != 1 || c.residual_scale != 1 || c.logit_scale != 1) return family_of("minicpm");
  if (c.qk_norm) return family_of("qwen3");
  if (c.qkv_bias && !c.o_bias) return family_of("qwen2");
  return family_of(c.window > 0 ? "mistral" : "llama");
}

double shortest(float x) { return std::stod(fmt::format("{}", x)); }

OrderedJson scaling_json(const RopeScaling& s, int64_t context) {
  OrderedJson json = {{"rope_type", name_of(s.type)}, {"factor", shortest(s.factor)}};
  const bool has_original = s.type == RopeType::llama3 || s.type == RopeType::yarn || s.original_context != context;
  if (has_original) json["original_max_position_embeddings"] = s.original_context;
  if (s.type == RopeType::llama3) {
    json["low_freq_factor"] = shortest(s.low_freq_factor);
    json["high_freq_factor"] = shortest(s.high_freq_factor);
  }
  if (s.type == RopeType::yarn) {
    json["beta_fast"] = shortest(s.beta_fast);
    json["beta_slow"] = shortest(s.beta_slow);
    if (s.attention_factor > 0) json["attention_factor"] = shortest(s.attention_factor);
  }
  return json;
}

void add_scales(const ModelConfig& c, OrderedJson& json) {
  json["scale_emb"] = shortest(c.embedding_scale);
  json["scale_depth"] = c.residual_scale * std::sqrt(static_cast<float>(c.n_layers));
  json["dim_model_base"] = std::llround(c.logit_scale * static_cast<float>(c.dim));
}

// The config without what does not belong to a model's form.
ModelConfig only_form(ModelConfig c) {
  c.dropout = 0;
  c.types = {};
  c.lora = {};
  if (c.head_dim == c.dim / c.n_heads) c.head_dim = 0;
  if (c.window == 0) c.first_window_layer = 0;
  return c;
}

}  // namespace

OrderedJson hugging_face_config(const ModelConfig& c) {
  if (c.ffn != FeedForward::swiglu) {
    throw Error(
        "no other program knows this form of model: its feed-forward network is {}, which has no gate; models of "
        "--preset llama are of a form that others know",
        name_of(c.ffn));
  }
  const Family& family = family_like(c);
  OrderedJson json = {{"architectures", {family.class_name}},
                      {"model_type", family.model_type},
                      {"hidden_act", "silu"},
                      {"vocab_size", c.vocab_size},
                      {"hidden_size", c.dim},
                      {"intermediate_size", c.ffn_dim},
                      {"num_hidden_layers", c.n_layers},
                      {"num_attention_heads", c.n_heads},
                      {"num_key_value_heads", c.kv_heads()},
                      {"head_dim", c.head_size()},
                      {"max_position_embeddings", c.context},
                      {"rms_norm_eps", shortest(c.norm_eps)},
                      {"rope_theta", shortest(c.rope_base)},
                      {"rope_scaling", nullptr},
                      {"tie_word_embeddings", c.tied_head}};
  if (c.rope_scaling.type != RopeType::none) json["rope_scaling"] = scaling_json(c.rope_scaling, c.context);
  if (!family.has_qkv_bias) json["attention_bias"] = c.qkv_bias;
  json["mlp_bias"] = c.ffn_bias;
  if (family.window > 0 || c.window > 0) json["sliding_window"] = c.window > 0 ? OrderedJson(c.window) : OrderedJson();
  if (family.has_window_by_layer) {
    json["use_sliding_window"] = c.window > 0;
    json["max_window_layers"] = c.window > 0 ? c.first_window_layer : c.n_layers;
  }
  if (family.has_scales) add_scales(c, json);
  if (only_form(config_from_hugging_face(parse_json(json.dump(), "config"))) != only_form(c)) {
    throw Error("no family of other programs has all features of this model: the nearest is {}", family.class_name);
  }
  return json;
}

ModelConfig config_from_hugging_face(const Json& json) {
  std::string type;
  read_field(json, "model_type", type);
  const Family& family = family_of(type);
  check_unsupported(json);
  ModelConfig config;
  config.ffn = FeedForward::swiglu;
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
