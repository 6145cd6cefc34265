#include <tinyllm/model/config.h>

#include <tinyllm/model/config_fields.h>
#include <tinyllm/model/config_json.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <tuple>

namespace tinyllm {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr const char* kModelType = "tinyllm";
constexpr const char* kActivation = "hidden_act";
constexpr const char* kQuantization = "quantization_config";
constexpr const char* kTokenizerHash = "tokenizer_hash";
constexpr const char* kRopeScaling = "rope_scaling";
constexpr const char* kRopeType = "rope_type";

Type read_type(const Json& quantization, const char* field) {
  std::string name;
  read_field(quantization, field, name);
  if (const auto type = weight_type(name)) return *type;
  throw Error("field {}: is {}, expected f32, q8_0, q4_0 or bf16", field, shortened(name));
}

WeightTypes read_types(const Json& quantization) {
  try {
    if (!quantization.is_object()) throw Error("is {}, expected an object", type_of(quantization));
    return {read_type(quantization, "matrices"), read_type(quantization, "tables")};
  } catch (const Error& error) {
    throw Error("{}: {}", kQuantization, error.what());
  }
}

ModelConfig read_fields(const Json& json) {
  ModelConfig config;
  for_each_field(kConfigFields, [&](const auto& field) { read_field(json, field.name, config.*field.member); });
  for_each_field(kOptionalConfigFields, [&](const auto& field) {
    if (const Json* value = find_field(json, field.name)) read_value(*value, field.name, config.*field.member);
  });
  if (const Json* value = find_field(json, kActivation)) {
    std::string name;
    read_value(*value, kActivation, name);
    const std::optional<FeedForward> kind = parse_name<FeedForward>(name);
    if (!kind) {
      throw Error("field {}: is {}, expected one of {}", kActivation, shortened(name),
                  fmt::join(names(FeedForward()), ", "));
    }
    config.ffn = *kind;
  }
  if (const Json* value = find_field(json, kQuantization)) config.types = read_types(*value);
  if (const Json* value = find_field(json, kRopeScaling))
    config.rope_scaling = read_rope_scaling(*value, config.context);
  if (config.n_kv_heads == config.n_heads) config.n_kv_heads = 0;  // Both mean one key head per query head.
  return config;
}

void check(const Lora& lora) {
  if (lora.rank == 0) return;
  for_each_problem(lora, kLoraFields,
                   [](const char* name, const std::string& what) { throw Error("lora: {} {}", name, what); });
  for (const auto& [module, size] : lora.modules) {
    if (size.rank < 1 || size.rank > lora.rank || !std::isfinite(size.scale)) {
      throw Error("lora: {}: rank {} and scale {}, expected a rank of 1 to {} and a finite scale", short_name(module),
                  size.rank, size.scale, lora.rank);
    }
  }
  if (!lora.modules.empty()) return;
  const std::vector<std::string> known = lora_targets();
  if (lora.targets.empty()) throw Error("lora: no targets, expected some of {}", fmt::join(known, ", "));
  for (const std::string& target : lora.targets) {
    if (std::find(known.begin(), known.end(), target) == known.end()) {
      throw Error("lora: target {}, expected some of {}", short_name(target), fmt::join(known, ", "));
    }
  }
}

// Weights must be f32 or packed, and a row of a packed matrix must be a whole number of blocks.
void check_types(const ModelConfig& c) {
  const std::tuple<const char*, int64_t, Type> rows[] = {{"hidden_size", c.dim, c.types.tables},
                                                         {"hidden_size", c.dim, c.types.matrices},
                                                         {"heads times head_dim", c.q_dim(), c.types.matrices},
                                                         {"intermediate_size", c.ffn_dim, c.types.matrices}};
  for (const auto& [name, size, type] : rows) {
    if (!type.is_packed() && type != f32) throw Error("config: weights are {}, expected f32 or packed", type.str());
    if (type.is_packed() && size % kernels::kQuantBlock != 0) {
      throw Error("config: {} is {}, expected a multiple of {} for {}", name, size, kernels::kQuantBlock, type.name());
    }
  }
}

}  // namespace

RopeScaling read_rope_scaling(const Json& json, int64_t context) {
  if (!json.is_object()) throw Error("{}: is {}, expected an object", kRopeScaling, type_of(json));
  std::string type = "default";
  for (const char* field : {"type", kRopeType}) {  // Old versions of transformers used the short name.
    if (const Json* value = find_field(json, field)) read_value(*value, field, type);
  }
  if (type == "default") return {};
  const std::optional<RopeType> known = parse_name<RopeType>(type);
  if (!known || *known == RopeType::none) {
    throw Error("{}: {}: is {}, expected default, linear, dynamic, llama3 or yarn", kRopeScaling, kRopeType,
                shortened(type));
  }
  RopeScaling scaling{.type = *known, .original_context = context};
  need_field(json, "factor");
  for_each_field(kRopeScalingFields, [&](const auto& field) {
    if (const Json* value = find_field(json, field.name)) read_value(*value, field.name, scaling.*field.member);
  });
  return scaling;
}

void check(const RopeScaling& s, int64_t head_size) {
  if (s.type == RopeType::none) return;
  for_each_problem(s, kRopeScalingFields, [](const char* name, const std::string& what) {
    throw Error("config: {}: {} is {}", kRopeScaling, name, what);
  });
  if (s.type == RopeType::llama3 && s.low_freq_factor >= s.high_freq_factor) {
    throw Error("config: {}: low_freq_factor is {}, expected less than high_freq_factor, {}", kRopeScaling,
                s.low_freq_factor, s.high_freq_factor);
  }
  if (s.type == RopeType::dynamic && head_size < 4) {
    throw Error("config: {}: dynamic for heads of size {}, expected 4 or more", kRopeScaling, head_size);
  }
}

ModelConfig as_llama(ModelConfig config, bool qk_norm) {
  const int64_t block = kernels::kQuantBlock;  // Rows stay a whole number of blocks of every type.
  config.ffn_dim = (2 * config.ffn_dim / 3 + block - 1) / block * block;
  config.ffn = FeedForward::swiglu;
  config.ffn_bias = false;
  config.qk_norm = qk_norm;
  return config;
}

std::optional<Type> weight_type(std::string_view name) {
  if (name == name_of(f32)) return f32;
  for (const Type type : kPackedTypes) {
    if (name == type.name()) return type;
  }
  return std::nullopt;
}

WeightTypes weight_types(Type type) { return {.matrices = type, .tables = type == q4_0 ? q8_0 : type}; }

float Lora::scale() const {
  const auto r = static_cast<float>(rank);
  return alpha / (rslora ? std::sqrt(r) : r);
}

Lora::Size Lora::size_of(std::string_view matrix, const std::string& module) const {
  if (rank == 0) return {};
  if (!modules.empty()) {
    const auto found = modules.find(module);
    return found == modules.end() ? Size{} : found->second;
  }
  const std::string_view last = std::string_view(module).substr(module.rfind('.') + 1);
  const bool is_target = std::ranges::any_of(targets, [&](const auto& name) { return name == matrix || name == last; });
  return is_target ? Size{rank, scale()} : Size{};
}

void check(const ModelConfig& c) {
  constexpr int64_t kMostWeights = int64_t{1} << 50;  // More than any machine holds, and no byte count overflows.
  const auto refuse = [](const char* name, const std::string& what) { throw Error("config: {} is {}", name, what); };
  for_each_problem(c, kConfigFields, refuse);
  for_each_problem(c, kOptionalConfigFields, refuse);
  if ((c.head_dim == 0 && c.dim % c.n_heads != 0) || c.head_size() % 2 != 0 || c.head_size() < 2 ||
      c.head_size() > kernels::kMaxHeadSize) {
    throw Error("config: hidden_size {} over {} heads: expected heads of an even size up to {}", c.dim, c.n_heads,
                kernels::kMaxHeadSize);
  }
  if (c.n_heads % c.kv_heads() != 0) {
    throw Error("config: {} heads over num_key_value_heads {}: expected a number that divides them", c.n_heads,
                c.n_kv_heads);
  }
  check(c.rope_scaling, c.head_size());
  check_types(c);
  check(c.lora);
  ModelConfig one_layer = c;
  one_layer.n_layers = 1;
  if (parameter_count(one_layer) > kMostWeights / c.n_layers) {
    throw Error("config: {} layers of hidden_size {} and intermediate_size {}: too many weights, expected at most 2^50",
                c.n_layers, c.dim, c.ffn_dim);
  }
}

bool is_own_config(const std::filesystem::path& path) {
  const Json json = load_json_object(path);
  std::string type;
  try {
    read_field(json, "model_type", type);
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
  return type == kModelType;
}

ModelConfig load_config(const std::filesystem::path& path) {
  const Json json = load_json_object(path);
  try {
    std::string type;
    read_field(json, "model_type", type);
    if (type != kModelType) throw Error("field model_type: is {}, expected \"{}\"", shortened(type), kModelType);
    const ModelConfig config = read_fields(json);
    check(config);
    return config;
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
}

std::optional<uint64_t> load_tokenizer_hash(const std::filesystem::path& path) {
  const Json json = load_json_object(path);
  const Json* value = find_field(json, kTokenizerHash);
  if (value == nullptr) return std::nullopt;
  const std::string text = value->is_string() ? value->get<std::string>() : "";
  uint64_t hash = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hash, 16);
  if (text.size() != 16 || error != std::errc() || end != text.data() + text.size()) {
    throw Error("{}: field {}: is {}, expected 16 hexadecimal digits in quotes", path.string(), kTokenizerHash,
                shown(*value));
  }
  return hash;
}

void save_config(const ModelConfig& config, const std::filesystem::path& path, std::optional<uint64_t> tokenizer_hash,
                 std::span<const int32_t> ends) {
  check(config);  // JSON has no infinity; it would be written as null.
  OrderedJson json = {
      {"model_type", kModelType}, {"architectures", {"TinyllmForCausalLM"}}, {"torch_dtype", "float32"}};
  const auto write = []<class Struct, class T>(OrderedJson& into, const Struct& values, const Field<Struct, T>& field) {
    const T value = values.*field.member;
    if constexpr (std::is_same_v<T, float>) {
      into[field.name] = std::stod(fmt::format("{}", value));  // Writes 0.1, not 0.10000000149.
    } else {
      into[field.name] = value;
    }
  };
  for_each_field(kConfigFields, [&](const auto& field) { write(json, config, field); });
  for_each_field(kOptionalConfigFields, [&](const auto& field) { write(json, config, field); });
  if (config.n_kv_heads == 0) json["num_key_value_heads"] = config.n_heads;
  json[kActivation] = name_of(config.ffn);
  if (config.types.quantized()) {
    json[kQuantization] = {{"quant_method", kModelType},
                           {"matrices", config.types.matrices.name()},
                           {"tables", config.types.tables.name()}};
  }
  if (config.rope_scaling.type != RopeType::none) {
    json[kRopeScaling][kRopeType] = name_of(config.rope_scaling.type);
    for_each_field(kRopeScalingFields,
                   [&](const auto& field) { write(json[kRopeScaling], config.rope_scaling, field); });
  }
  if (!ends.empty()) json["eos_token_id"] = std::vector<int32_t>(ends.begin(), ends.end());
  if (tokenizer_hash) json[kTokenizerHash] = fmt::format("{:016x}", *tokenizer_hash);
  write_file(path, json.dump(2) + "\n");
}

}  // namespace tinyllm
