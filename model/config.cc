#include <tinyllm/model/config.h>

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/file.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <tuple>

namespace tinyllm {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kModelType = "tinyllm";
constexpr const char* kActivation = "hidden_act";
constexpr const char* kGated = "swiglu";
constexpr const char* kPlain = "silu";
constexpr const char* kQuantization = "quantization_config";

// The fields, under their names in config.json: what reading and writing share. A file may do without those of
// for_each_option.
template <class Config, class F>
void for_each_field(Config& config, F f) {
  f("vocab_size", config.vocab_size);
  f("hidden_size", config.dim);
  f("num_hidden_layers", config.n_layers);
  f("num_attention_heads", config.n_heads);
  f("intermediate_size", config.ffn_dim);
  f("max_position_embeddings", config.context);
  f("rms_norm_eps", config.norm_eps);
  f("rope_theta", config.rope_base);
  f("dropout", config.dropout);
}
template <class Config, class F>
void for_each_option(Config& config, F f) {
  f("num_key_value_heads", config.n_kv_heads);
  f("mlp_bias", config.ffn_bias);
}

DType read_type(const Json& json, const char* name) {
  const Json value = json.is_object() ? json.value(name, Json()) : Json();
  for (const DType type : {f32, q8_0, q4_0, bf16}) {
    if (value == name_of(type)) return type;
  }
  throw Error("{}: {} is {}, expected f32, q8_0, q4_0 or bf16", kQuantization, name, value.dump());
}

template <class T>
void read_field(const Json& value, const char* name, T& field) {
  constexpr bool kWhole = std::is_same_v<T, int64_t>, kTruth = std::is_same_v<T, bool>;
  if (kTruth ? !value.is_boolean() : kWhole ? !value.is_number_integer() : !value.is_number()) {
    throw Error("{} is {}, expected {}", name, value.dump(),
                kTruth   ? "true or false"
                : kWhole ? "a whole number"
                         : "a number");
  }
  value.get_to(field);
}

void read_fields(const Json& json, ModelConfig& config) {
  for_each_field(config, [&](const char* name, auto& field) {
    if (!json.contains(name)) throw Error("{} is missing", name);
    read_field(json[name], name, field);
  });
  for_each_option(config, [&](const char* name, auto& field) {
    if (json.contains(name)) read_field(json[name], name, field);
  });
  const Json activation = json.value(kActivation, Json(kPlain));
  if (activation != kPlain && activation != kGated) {
    throw Error("{} is {}, expected \"{}\" or \"{}\"", kActivation, activation.dump(), kPlain, kGated);
  }
  config.ffn_gated = activation == kGated;
  if (json.contains(kQuantization)) {
    config.types = {read_type(json[kQuantization], "matrices"), read_type(json[kQuantization], "tables")};
  }
  if (config.n_kv_heads == config.n_heads) config.n_kv_heads = 0;  // Two ways to say the same.
}

void check(const Lora& lora) {
  if (lora.rank == 0) return;
  const std::vector<std::string> known = Lora{}.targets;
  if (lora.rank < 0 || lora.rank > 4096) throw Error("lora: rank {}, expected 1 to 4096", lora.rank);
  if (!(lora.alpha > 0)) throw Error("lora: alpha {}, expected more than 0", lora.alpha);
  if (lora.targets.empty()) throw Error("lora: no targets, expected some of {}", fmt::join(known, ", "));
  for (const std::string& target : lora.targets) {
    if (std::find(known.begin(), known.end(), target) == known.end()) {
      throw Error("lora: target {}, expected some of {}", target, fmt::join(known, ", "));
    }
  }
}

// Rows of quantised matrices are whole blocks.
void check_blocks(const ModelConfig& c) {
  const std::tuple<const char*, int64_t, DType> rows[] = {{"hidden_size", c.dim, c.types.tables},
                                                          {"hidden_size", c.dim, c.types.matrices},
                                                          {"intermediate_size", c.ffn_dim, c.types.matrices}};
  for (const auto& [name, size, type] : rows) {
    if (is_quantized(type) && size % kQuantBlock != 0) {
      throw Error("config: {} is {}, expected a multiple of {} for {}", name, size, kQuantBlock, name_of(type));
    }
  }
}

}  // namespace

bool Lora::adapts(std::string_view name) const {
  return rank > 0 && std::find(targets.begin(), targets.end(), name) != targets.end();
}

void check(const ModelConfig& c) {
  constexpr int64_t kMost = int64_t{1} << 24;  // Products of two sizes stay far from overflow.
  const std::pair<const char*, int64_t> sizes[] = {
      {"vocab_size", c.vocab_size},       {"hidden_size", c.dim},           {"num_hidden_layers", c.n_layers},
      {"num_attention_heads", c.n_heads}, {"intermediate_size", c.ffn_dim}, {"max_position_embeddings", c.context}};
  for (const auto& [name, size] : sizes) {
    if (size < 1 || size > kMost) throw Error("config: {} is {}, expected 1 to {}", name, size, kMost);
  }
  if (c.dim % c.n_heads != 0 || c.head_size() % 2 != 0 || c.head_size() > kernels::kMaxHeadSize) {
    throw Error("config: hidden_size {} over {} heads: expected heads of an even size up to {}", c.dim, c.n_heads,
                kernels::kMaxHeadSize);
  }
  if (c.n_kv_heads < 0 || c.n_kv_heads > c.n_heads || c.n_heads % c.kv_heads() != 0) {
    throw Error("config: {} heads over num_key_value_heads {}: expected a number that divides them", c.n_heads,
                c.n_kv_heads);
  }
  if (!(c.norm_eps > 0)) throw Error("config: rms_norm_eps is {}, expected more than 0", c.norm_eps);
  if (!(c.rope_base > 1)) throw Error("config: rope_theta is {}, expected more than 1", c.rope_base);
  if (!(c.dropout >= 0 && c.dropout < 1)) throw Error("config: dropout is {}, expected 0 <= p < 1", c.dropout);
  check_blocks(c);
  check(c.lora);
}

ModelConfig load_config(const std::filesystem::path& path) {
  const Json json = Json::parse(read_file(path), nullptr, false);
  if (!json.is_object()) throw Error("{}: is not a JSON object", path.string());
  if (!json.contains("model_type") || json["model_type"] != kModelType) {
    throw Error("{}: model_type is {}, expected \"{}\"", path.string(),
                json.contains("model_type") ? json["model_type"].dump() : "missing", kModelType);
  }
  ModelConfig config;
  try {
    read_fields(json, config);
    check(config);
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
  return config;
}

void save_config(const ModelConfig& config, const std::filesystem::path& path) {
  Json json = {{"model_type", kModelType}, {"architectures", {"TinyllmForCausalLM"}}, {"torch_dtype", "float32"}};
  for_each_field(config, [&](const char* name, const auto& field) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(field)>, float>) {
      json[name] = std::stod(fmt::format("{}", field));  // 0.1, not 0.10000000149.
    } else {
      json[name] = field;
    }
  });
  for_each_option(config, [&](const char* name, const auto& field) { json[name] = field; });
  if (config.n_kv_heads == 0) json["num_key_value_heads"] = config.n_heads;
  json[kActivation] = config.ffn_gated ? kGated : kPlain;
  if (config.types.quantized()) {
    json[kQuantization] = {{"quant_method", kModelType},
                           {"matrices", name_of(config.types.matrices)},
                           {"tables", name_of(config.types.tables)}};
  }
  json["tie_word_embeddings"] = false;
  write_file(path, json.dump(2) + "\n");
}

}  // namespace tinyllm
