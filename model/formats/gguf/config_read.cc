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

constexpr int64_t kLlama3Original = 8192;  // Of Llama 3.1 and 3.2, whose files do not record it.

// The shortest decimal that reads as this float: 1e-05, not 9.999999747378752e-06.
double shortest(double x) { return std::stod(fmt::format("{}", static_cast<float>(x))); }

// Reads the keys of one architecture.
class Keys {
 public:
  Keys(const Gguf& file, const Family& family) : file_(file), family_(family) {}

  std::string name(const char* key) const { return full_key(family_, key); }
  std::optional<double> real(const char* key) const { return file_.metadata().find<double>(name(key)); }
  std::optional<std::string_view> text(const char* key) const {
    return file_.metadata().find<std::string_view>(name(key));
  }

  // A whole number of at least 1, or an array of equal ones.
  std::optional<int64_t> size(const char* key) const {
    std::optional<int64_t> found = equal_values(key);
    if (!found) found = file_.metadata().find<int64_t>(name(key));
    if (found && (*found < 1 || *found > INT32_MAX)) {
      fail(key, fmt::format("is {}, expected a number from 1 to {}", *found, INT32_MAX));
    }
    return found;
  }
  int64_t need(const char* key) const {
    if (const std::optional<int64_t> found = size(key)) return *found;
    fail(key, "is missing");
  }
  [[noreturn]] void fail(const char* key, std::string_view found) const {
    throw Error("{}: {} {}", file_.path().string(), name(key), found);
  }

 private:
  std::optional<int64_t> equal_values(const char* key) const {
    if (!file_.metadata().is_array(name(key))) return {};
    const auto values = file_.metadata().get<std::vector<int64_t>>(name(key));
    if (values.empty()) fail(key, "is an empty array");
    for (const int64_t value : values) {
      if (value != values[0]) fail(key, "differs between layers");
    }
    return values[0];
  }

  const Gguf& file_;
  const Family& family_;
};

const Family& family_in(const Gguf& file) {
  const GgufMetadata& metadata = file.metadata();
  const std::string_view type = metadata.find<std::string_view>("general.type").value_or("model");
  if (type != "model") throw Error("{}: holds {}, expected a model", file.path().string(), short_name(type));
  if (const int64_t parts = metadata.find<int64_t>("split.count").value_or(1); parts > 1) {
    throw Error("{}: is one of {} parts of a model; merge them first", file.path().string(), parts);
  }
  try {
    const Family& found = family_of_gguf(metadata.get<std::string_view>("general.architecture"));
    const bool has_window = metadata.has(full_key(found, "attention.sliding_window"));
    return found.model_type == std::string_view("llama") && has_window ? family_of("mistral") : found;
  } catch (const Error& error) {
    throw Error("{}: {}", file.path().string(), error.what());
  }
}

// Heads must have one size for queries, keys and values, and all of it must be rotated.
void read_heads(const Keys& keys, Json& config) {
  const int64_t heads = config["num_attention_heads"], width = config["hidden_size"];
  config["num_key_value_heads"] = keys.size("attention.head_count_kv").value_or(heads);
  const int64_t head = keys.size("attention.key_length").value_or(width / heads);
  config["head_dim"] = head;
  for (const char* key : {"attention.value_length", "rope.dimension_count"}) {
    if (keys.size(key).value_or(head) != head) keys.fail(key, fmt::format("is not the size of a head, {}", head));
  }
}

Json read_yarn(const Keys& keys, double factor, const Json& config) {
  Json scaling = {{"rope_type", "yarn"}, {"factor", factor}};
  scaling["original_max_position_embeddings"] =
      keys.size("rope.scaling.original_context_length").value_or(int64_t{config["max_position_embeddings"]});
  // The factor in GGUF is multiplied with the paper's default, 0.1 ln(factor) + 1.
  if (const auto attention = keys.real("rope.scaling.attn_factor"); attention && *attention != 1) {
    scaling["attention_factor"] = shortest(*attention * (0.1 * std::log(factor) + 1));
  }
  if (const auto fast = keys.real("rope.scaling.yarn_beta_fast")) scaling["beta_fast"] = shortest(*fast);
  if (const auto slow = keys.real("rope.scaling.yarn_beta_slow")) scaling["beta_slow"] = shortest(*slow);
  return scaling;
}

Json read_llama3(const Gguf& file, const Gguf::Tensor& tensor, const Keys& keys, const Json& config) {
  const int64_t head = config["head_dim"];
  const std::vector<float> factors = file.values(file.at(kRopeFactors, {head / 2}));
  if (std::all_of(factors.begin(), factors.end(), [](float x) { return x == 1; })) return nullptr;
  const int64_t original = keys.size("rope.scaling.original_context_length").value_or(kLlama3Original);
  const auto rope = llama3_rope(factors, config["rope_theta"], static_cast<double>(original));
  if (!rope) {
    throw Error("{}: {} is not a scaling of Llama 3", file.path().string(), tensor.name);
  }
  return {{"rope_type", "llama3"},
          {"factor", rope->factor},
          {"low_freq_factor", rope->low},
          {"high_freq_factor", rope->high},
          {"original_max_position_embeddings", original}};
}

// Null if frequencies are not scaled.
Json read_scaling(const Gguf& file, const Keys& keys, const Json& config) {
  for (const char* name : {"rope_factors_long.weight", "rope_factors_short.weight"}) {
    if (file.find(name) != nullptr) throw Error("{}: has {}: longrope is not supported", file.path().string(), name);
  }
  const Gguf::Tensor* factors = file.find(kRopeFactors);
  // Old files have no type, and another key for the factor.
  const double factor = shortest(keys.real("rope.scaling.factor").value_or(keys.real("rope.scale_linear").value_or(1)));
  const std::string_view type = keys.text("rope.scaling.type").value_or("linear");
  if (!(factor >= 1)) keys.fail("rope.scaling.factor", fmt::format("is {}, expected 1 or more", factor));
  if (type != "none" && type != "linear" && type != "yarn") {
    keys.fail("rope.scaling.type", fmt::format("is {}, expected none, linear or yarn", short_name(type)));
  }
  const bool is_scaled = type != "none" && factor != 1;
  if (factors != nullptr && is_scaled) keys.fail("rope.scaling.type", fmt::format("is there beside {}", kRopeFactors));
  if (factors != nullptr) return read_llama3(file, *factors, keys, config);
  if (!is_scaled) return nullptr;
  return type == "yarn" ? read_yarn(keys, factor, config) : Json{{"rope_type", "linear"}, {"factor", factor}};
}

// These keys are required. Other programs fall back to the values of one model of 2 billion parameters.
void read_minicpm(const Keys& keys, Json& config) {
  const auto need = [&](const char* key) {
    const auto value = keys.real(key);
    if (!value || !(*value > 0)) keys.fail(key, value ? "is not above 0" : "is missing");
    return *value;
  };
  const double layers = config["num_hidden_layers"], width = config["hidden_size"];
  config["scale_emb"] = shortest(need("embedding_scale"));
  config["scale_depth"] = std::stod(fmt::format("{:.6g}", need("residual_scale") * std::sqrt(layers)));
  config["dim_model_base"] = std::llround(width / need("logit_scale"));
}

void read_tokens(const GgufMetadata& metadata, Json& config) {
  if (const auto begin = metadata.find<int64_t>("tokenizer.ggml.bos_token_id")) config["bos_token_id"] = *begin;
  Json ends = Json::array();
  for (const char* name : {"eos", "eot", "eom"}) {
    const auto id = metadata.find<int64_t>(fmt::format("tokenizer.ggml.{}_token_id", name));
    if (id && std::find(ends.begin(), ends.end(), *id) == ends.end()) ends.push_back(*id);
  }
  if (!ends.empty()) config["eos_token_id"] = ends.size() == 1 ? ends[0] : ends;
}

}  // namespace

Json gguf_config(const Gguf& file) {
  const Family& family = family_in(file);
  const Keys keys(file, family);
  if (keys.size("expert_count")) keys.fail("expert_count", "is there: mixtures of experts are not supported");
  Json config = {{"architectures", {family.class_name}},
                 {"model_type", family.model_type},
                 {"hidden_act", "silu"},
                 {"torch_dtype", "float32"}};
  for (const gguf::Size& size : kSizes) config[size.field] = keys.need(size.key);
  read_heads(keys, config);
  const auto eps = keys.real("attention.layer_norm_rms_epsilon");
  if (!eps) keys.fail("attention.layer_norm_rms_epsilon", "is missing");
  config["rms_norm_eps"] = shortest(*eps);
  config["rope_theta"] = shortest(keys.real("rope.freq_base").value_or(10000));
  config["rope_scaling"] = read_scaling(file, keys, config);
  const Gguf::Tensor& table = file.at("token_embd.weight");
  if (table.shape.rank() != 2) throw Error("{}: {} is {}", file.path().string(), table.name, table.shape);
  config["vocab_size"] = table.shape[0];
  config["tie_word_embeddings"] = file.find("output.weight") == nullptr;
  const std::string_view model_type = family.model_type;
  if (!family.has_qkv_bias) config["attention_bias"] = file.find("blk.0.attn_q.bias") != nullptr;
  if (model_type == "llama") config["mlp_bias"] = file.find("blk.0.ffn_up.bias") != nullptr;
  if (model_type == "mistral") config["sliding_window"] = keys.need("attention.sliding_window");
  if (family.has_scales) read_minicpm(keys, config);
  read_tokens(file.metadata(), config);
  return config;
}

}  // namespace tinyllm
