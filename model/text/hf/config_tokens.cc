#include <tinyllm/model/text/hf/config_tokens.h>

#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <string>

namespace tinyllm {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{4} << 20;
constexpr size_t kMaxEnds = 100;
constexpr const char* kEndIds = "eos_token_id";

using OrderedJson = nlohmann::ordered_json;

std::optional<Json> load(const ModelFiles& files, const std::string& name) {
  if (!files.has(name)) return std::nullopt;
  return parse_json_object(files.read(name, kMaxConfigBytes), files.path(name));
}

// A token's text, from "..." or {"content": "..."}.
std::optional<std::string> text_in(const Json& config, const char* field) {
  const Json* found = find_field(config, field);
  if (found == nullptr) return std::nullopt;
  std::string text;
  if (found->is_object()) {
    read_field(*found, "content", text);
  } else {
    read_value(*found, field, text);
  }
  return text;
}

std::vector<int32_t> ids_in(const Json& config, const char* field) {
  const Json* found = find_field(config, field);
  if (found == nullptr) return {};
  const Json list = found->is_array() ? *found : Json::array({*found});
  if (list.size() > kMaxEnds) throw Error("field {}: more than {} tokens", field, kMaxEnds);
  std::vector<int32_t> ids;
  for (const Json& item : list) {
    int64_t id = 0;
    read_value(item, field, id);
    if (id < 0 || id > INT32_MAX) throw Error("field {}: token {}", field, id);
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

}  // namespace

std::map<std::string, std::string> side_files(const ModelFiles& files) {
  // Includes files that are only copied when a model is saved.
  constexpr const char* kNames[] = {"tokenizer_config.json",
                                    "special_tokens_map.json",
                                    "added_tokens.json",
                                    "vocab.json",
                                    "merges.txt",
                                    "tokenizer.model",
                                    "chat_template.jinja",
                                    "chat_template.json",
                                    "generation_config.json",
                                    "configuration.json"};
  constexpr uint64_t kMostBytes = uint64_t{128} << 20;
  std::map<std::string, std::string> found;
  for (const char* name : kNames) {
    if (files.has(name)) found.emplace(name, files.read(name, kMostBytes));
  }
  return found;
}

std::string with_end_token(const std::string& config, int32_t token) {
  OrderedJson json = OrderedJson::parse(config);
  const std::vector<int32_t> before = ids_in(parse_json_object(config, "config"), kEndIds);
  if (std::find(before.begin(), before.end(), token) != before.end()) return config;
  json[kEndIds] = token;
  if (!before.empty()) {
    json[kEndIds] = OrderedJson::array({token});
    for (const int32_t other : before) json[kEndIds].push_back(other);
  }
  return json.dump(2) + "\n";
}

std::map<std::string, std::string> with_end_token(std::map<std::string, std::string> files, int32_t token,
                                                  const std::string& text) {
  std::string& generation = files.emplace("generation_config.json", "{}").first->second;
  generation = with_end_token(generation, token);
  std::string& tokenizer = files.emplace("tokenizer_config.json", "{}").first->second;
  OrderedJson json = OrderedJson::parse(tokenizer);
  json["eos_token"] = text;
  tokenizer = json.dump(2) + "\n";
  return files;
}

HfConfigTokens read_hf_config_tokens(const ModelFiles& files,
                                     const std::function<std::optional<int32_t>(std::string_view)>& id_of) {
  HfConfigTokens tokens;
  const auto add = [&](int32_t id) {
    if (std::find(tokens.ends.begin(), tokens.ends.end(), id) == tokens.ends.end()) tokens.ends.push_back(id);
  };
  if (const std::optional<Json> config = load(files, "tokenizer_config.json")) {
    const std::optional<std::string> end = text_in(*config, "eos_token");
    if (const std::optional<int32_t> id = end ? id_of(*end) : std::nullopt) add(*id);
    if (const std::optional<std::string> pad = text_in(*config, "pad_token")) tokens.pad = id_of(*pad);
    bool has_begin = true;  // The default of transformers' SentencePiece tokenizers.
    if (const Json* value = find_field(*config, "add_bos_token")) read_value(*value, "add_bos_token", has_begin);
    const std::optional<std::string> begin = text_in(*config, "bos_token");
    if (const std::optional<int32_t> id = has_begin && begin ? id_of(*begin) : std::nullopt) tokens.before = {*id};
  }
  std::vector<int32_t> ids;
  for (const char* file : {"generation_config.json", "config.json"}) {
    if (!ids.empty()) break;
    if (const std::optional<Json> config = load(files, file)) ids = ids_in(*config, kEndIds);
  }
  for (const int32_t id : ids) add(id);
  return tokens;
}

}  // namespace tinyllm
