#include <tinyllm/model/formats/gguf/config.h>

#include <tinyllm/model/formats/gguf/config_keys.h>
#include <tinyllm/model/formats/gguf/rope_factors.h>

#include <algorithm>
#include <cmath>

namespace tinyllm {
namespace {

using gguf::full_key;
using gguf::kRopeFactors;
using gguf::kSizes;

int64_t size_field(const Json& config, const char* field) {
  int64_t value = 0;
  read_field(config, field, value);
  if (value < 1 || value > INT32_MAX) throw Error("field {}: is {}, expected 1 to {}", field, value, INT32_MAX);
  return value;
}

int64_t size_field_or(const Json& config, const char* field, int64_t otherwise) {
  return find_field(config, field) == nullptr ? otherwise : size_field(config, field);
}

float real_field(const Json& config, const char* field) {
  float value = 0;
  read_field(config, field, value);
  return value;
}

void add_llama3(const Json& scaling, const Json& config, int64_t head, GgufWriter& writer) {
  const auto number = [&](const char* field) { return static_cast<double>(real_field(scaling, field)); };
  const Llama3Rope rope = {.factor = number("factor"),
                           .low = number("low_freq_factor"),
                           .high = number("high_freq_factor"),
                           .original = number("original_max_position_embeddings")};
  const std::vector<float> factors =
      rope_factors(rope, static_cast<double>(real_field(config, "rope_theta")), static_cast<int>(head));
  writer.add_tensor(kRopeFactors, GgufType::F32, {head / 2}, [factors](int64_t, std::span<float> rows) {
    std::copy(factors.begin(), factors.end(), rows.begin());
  });
}

void add_yarn(const Json& scaling, const Family& family, GgufWriter& writer) {
  for (const char* field : {"mscale", "mscale_all_dim"}) {
    if (find_field(scaling, field) != nullptr) throw Error("field rope_scaling: {} is not supported", field);
  }
  if (find_field(scaling, "attention_factor") != nullptr) {
    // Readers of GGUF multiply the key with the default, 0.1 ln(factor) + 1, so it is divided by that here.
    writer.add(full_key(family, "rope.scaling.attn_factor"),
               real_field(scaling, "attention_factor") / (0.1f * std::log(real_field(scaling, "factor")) + 1));
  }
  for (const char* field : {"beta_fast", "beta_slow"}) {
    if (find_field(scaling, field) == nullptr) continue;
    writer.add(full_key(family, "rope.scaling.yarn_") + field, real_field(scaling, field));
  }
}

void add_scaling(const Json& scaling, const Json& config, int64_t head, const Family& family, GgufWriter& writer) {
  const std::string type = text(scaling, find_field(scaling, "rope_type") != nullptr ? "rope_type" : "type");
  if (type == "default") return;
  if (type != "linear" && type != "yarn" && type != "llama3") {
    throw Error("field rope_scaling: GGUF cannot express {}, only linear, yarn and llama3", short_name(type));
  }
  if (type != "linear") {
    const int64_t original =
        size_field_or(scaling, "original_max_position_embeddings", size_field(config, "max_position_embeddings"));
    writer.add(full_key(family, "rope.scaling.original_context_length"), static_cast<uint32_t>(original));
  }
  if (type == "llama3") return add_llama3(scaling, config, head, writer);
  writer.add(full_key(family, "rope.scaling.type"), type);
  writer.add(full_key(family, "rope.scaling.factor"), real_field(scaling, "factor"));
  if (type == "yarn") add_yarn(scaling, family, writer);
}

// The window; 0: none. Other families than Mistral have one only with a flag, and then only in some layers.
int64_t window_of(const Json& config) {
  bool is_used = false;
  if (find_field(config, "use_sliding_window") != nullptr) read_field(config, "use_sliding_window", is_used);
  const bool is_mistral = text(config, "model_type") == "mistral";
  if (is_used && !is_mistral) throw Error("field use_sliding_window: GGUF cannot express a window of some layers");
  return is_mistral ? size_field_or(config, "sliding_window", 0) : 0;
}

}  // namespace

void add_gguf_config(const Json& config, GgufWriter& writer) {
  const Family& family = family_of(text(config, "model_type"));
  const auto key = [&](const char* name) { return full_key(family, name); };
  const auto add_size = [&](const char* name, int64_t value) { writer.add(key(name), static_cast<uint32_t>(value)); };
  writer.add("general.architecture", family.gguf);
  for (const gguf::Size& size : kSizes) add_size(size.key, size_field(config, size.field));
  add_size("vocab_size", size_field(config, "vocab_size"));
  const int64_t heads = size_field(config, "num_attention_heads"), width = size_field(config, "hidden_size");
  const int64_t head = size_field_or(config, "head_dim", width / heads);
  add_size("attention.head_count_kv", size_field_or(config, "num_key_value_heads", heads));
  for (const char* name : {"attention.key_length", "attention.value_length", "rope.dimension_count"}) {
    add_size(name, head);
  }
  writer.add(key("attention.layer_norm_rms_epsilon"), real_field(config, "rms_norm_eps"));
  writer.add(key("rope.freq_base"), real_field(config, "rope_theta"));
  if (const Json* scaling = find_field(config, "rope_scaling")) {
    add_scaling(*scaling, config, head, family, writer);
  }
  if (const int64_t window = window_of(config)) add_size("attention.sliding_window", window);
  if (family.has_scales) {
    const auto layers = static_cast<float>(size_field(config, "num_hidden_layers"));
    writer.add(key("embedding_scale"), real_field(config, "scale_emb"));
    writer.add(key("residual_scale"), real_field(config, "scale_depth") / std::sqrt(layers));
    writer.add(key("logit_scale"), static_cast<float>(width) / real_field(config, "dim_model_base"));
  }
}

std::vector<std::string> gguf_losses(const Json& config) {
  const int64_t window = window_of(config), context = size_field(config, "max_position_embeddings");
  if (window == 0 || window >= context) return {};
  return {
      fmt::format("Attention looks back {} tokens of {}: other programs that read GGUF ignore this window and give "
                  "other answers to longer texts.",
                  window, context)};
}

}  // namespace tinyllm
