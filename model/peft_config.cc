#include <tinyllm/model/peft_config.h>

#include <tinyllm/model/config_fields.h>
#include <tinyllm/model/config_json.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace tinyllm {
namespace {

constexpr size_t kMostPatterns = 1 << 14;

bool is_plain(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return c == '_' || c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  });
}

bool is_end_of(std::string_view name, std::string_view module) {
  return module.ends_with(name) && (module.size() == name.size() || module[module.size() - name.size() - 1] == '.');
}

// A field that must be missing, null, false or empty, since any other value changes the results.
bool is_set(const Json& json, const char* field) {
  const Json* value = find_field(json, field);
  if (value == nullptr || *value == false) return false;
  return !((value->is_array() || value->is_object()) && value->empty());
}

void refuse_others(const Json& json) {
  std::string type = "LORA", bias = "none";
  if (const Json* value = find_field(json, "peft_type")) read_value(*value, "peft_type", type);
  if (type != "LORA") throw Error("peft_type: is {}, expected \"LORA\"", shortened(type));
  if (const Json* value = find_field(json, "bias")) read_value(*value, "bias", bias);
  if (bias != "none") throw Error("bias: is {}, expected \"none\": trained biases are not supported", shortened(bias));
  constexpr std::pair<const char*, const char*> kOthers[] = {
      {"use_dora", "DoRA"},
      {"lora_bias", "adapters with biases"},
      {"use_qalora", "QALoRA"},
      {"alora_invocation_tokens", "activated LoRA"},
      {"arrow_config", "Arrow"},
      {"layer_replication", "repeated layers"},
      {"target_parameters", "adapters of parameters"},
      {"trainable_token_indices", "trained tokens"},
      {"megatron_config", "Megatron"},
  };
  for (const auto& [field, what] : kOthers) {
    if (is_set(json, field)) throw Error("{}: is {}: {} cannot be read", field, shown(json.at(field)), what);
  }
  if (const Json* value = find_field(json, "layers_pattern")) {
    if (!value->empty() && *value != "layers" && *value != Json::array({"layers"})) {
      throw Error("layers_pattern: is {}, expected \"layers\"", shown(*value));
    }
  }
}

ModuleNames read_modules(const Json& json, const char* field) {
  const Json& value = need_field(json, field);
  if (value.is_string()) {
    const auto text = value.get<std::string>();
    return text == "all-linear" ? ModuleNames::all() : ModuleNames::matching(text);
  }
  std::vector<std::string> names;
  read_value(value, field, names);
  return ModuleNames(std::move(names));
}

std::vector<int64_t> read_layers(const Json& value) {
  std::vector<int64_t> layers;
  const auto read = [&](const Json& number) { read_value(number, "layers_to_transform", layers.emplace_back()); };
  if (value.is_array()) {
    std::ranges::for_each(value, read);
  } else {
    read(value);
  }
  return layers;
}

// A key is a regular expression that matches the end of a module's name.
template <class T>
std::vector<std::pair<ModuleNames, T>> read_pattern(const Json& json, const char* field) {
  std::vector<std::pair<ModuleNames, T>> all;
  const Json* value = find_field(json, field);
  if (value == nullptr) return all;
  if (!value->is_object() || value->size() > kMostPatterns) {
    throw Error("{}: is {}, expected an object of at most {} numbers", field, type_of(*value), kMostPatterns);
  }
  for (const auto& [key, number] : value->items()) {
    T read{};
    read_value(number, field, read);
    all.emplace_back(is_plain(key) ? ModuleNames({key}) : ModuleNames::matching("(?:.*\\.)?(?:" + key + ")"), read);
  }
  return all;
}

template <class T>
T value_of(const std::vector<std::pair<ModuleNames, T>>& patterns, const char* field, const std::string& module,
           T otherwise) {
  std::optional<T> found;
  for (const auto& [names, value] : patterns) {
    if (!names.contains(module)) continue;
    if (found && *found != value) throw Error("{}: two patterns mean {}", field, short_name(module));
    found = value;
  }
  return found.value_or(otherwise);
}

std::optional<int64_t> layer_of(std::string_view module) {
  constexpr std::string_view kLayers = ".layers.";
  const size_t at = module.find(kLayers);
  if (at == std::string_view::npos) return std::nullopt;
  int64_t layer = 0;
  const char* begin = module.data() + at + kLayers.size();
  if (std::from_chars(begin, module.data() + module.size(), layer).ec != std::errc()) return std::nullopt;
  return layer;
}

PeftConfig read(const Json& json) {
  refuse_others(json);
  PeftConfig config;
  config.base = text_or_none(json, "base_model_name_or_path");
  read_field(json, "r", config.rank);
  read_field(json, "lora_alpha", config.alpha);
  if (const Json* value = find_field(json, "use_rslora")) read_value(*value, "use_rslora", config.rslora);
  config.targets = read_modules(json, "target_modules");
  if (is_set(json, "exclude_modules")) config.excluded = read_modules(json, "exclude_modules");
  if (const Json* value = find_field(json, "layers_to_transform")) config.layers = read_layers(*value);
  config.ranks = read_pattern<int64_t>(json, "rank_pattern");
  config.alphas = read_pattern<float>(json, "alpha_pattern");
  if (const Json* value = find_field(json, "modules_to_save")) read_value(*value, "modules_to_save", config.saved);
  if (const Json* value = find_field(json, "ensure_weight_tying")) {
    read_value(*value, "ensure_weight_tying", config.keeps_tied);
  }
  const Range ranks = between(1, std::get<0>(kLoraFields).range.high);
  std::vector<int64_t> given = {config.rank};
  for (const auto& [names, rank] : config.ranks) given.push_back(rank);
  for (const int64_t rank : given) {
    if (!ranks.contains(static_cast<double>(rank))) {
      throw Error("r: is {}, expected {}", rank, description_of(ranks, true));
    }
  }
  return config;
}

}  // namespace

ModuleNames ModuleNames::matching(std::string_view pattern) {
  ModuleNames names;
  names.pattern_.emplace(fmt::format("\\A(?:{})\\z", pattern));
  return names;
}

ModuleNames ModuleNames::all() {
  ModuleNames names;
  names.all_ = true;
  return names;
}

bool ModuleNames::contains(std::string_view module) const {
  if (all_) return true;
  Regex::Match match;
  if (pattern_) return Regex::Search(*pattern_, module).next(match);
  return std::ranges::any_of(names_, [&](const std::string& name) { return is_end_of(name, module); });
}

Lora::Size PeftConfig::size_of(const std::string& module) const {
  if (!targets.contains(module) || excluded.contains(module)) return {};
  if (layers) {
    const std::optional<int64_t> layer = layer_of(module);
    if (!layer || std::ranges::find(*layers, *layer) == layers->end()) return {};
  }
  const Lora lora{.rank = value_of(ranks, "rank_pattern", module, rank),
                  .alpha = value_of(alphas, "alpha_pattern", module, alpha),
                  .rslora = rslora};
  return {lora.rank, lora.scale()};
}

bool PeftConfig::saves(std::string_view module) const {
  return std::ranges::any_of(saved, [&](const std::string& name) { return is_end_of(name, module); });
}

PeftConfig load_peft_config(const std::filesystem::path& path) {
  const Json json = load_json_object(path);
  try {
    return read(json);
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
}

}  // namespace tinyllm
