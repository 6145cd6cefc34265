#include <tinyllm/model/text/hf/config_tokens.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <string>

namespace tinyllm {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{4} << 20;
constexpr size_t kMaxEnds = 100;

std::optional<Json> load(const std::filesystem::path& file) {
  if (!is_there(file)) return std::nullopt;
  return load_json_object(file, kMaxConfigBytes);
}

// A token by its text: "..." or {"content": "..."}.
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

HfConfigTokens read_hf_config_tokens(const std::filesystem::path& folder,
                                     const std::function<std::optional<int32_t>(std::string_view)>& id_of) {
  HfConfigTokens tokens;
  const auto add = [&](int32_t id) {
    if (std::find(tokens.ends.begin(), tokens.ends.end(), id) == tokens.ends.end()) tokens.ends.push_back(id);
  };
  if (const std::optional<Json> config = load(folder / "tokenizer_config.json")) {
    const std::optional<std::string> end = text_in(*config, "eos_token");
    if (const std::optional<int32_t> id = end ? id_of(*end) : std::nullopt) add(*id);
    if (const std::optional<std::string> pad = text_in(*config, "pad_token")) tokens.pad = id_of(*pad);
  }
  std::vector<int32_t> ids;
  for (const char* file : {"generation_config.json", "config.json"}) {
    if (!ids.empty()) break;
    if (const std::optional<Json> config = load(folder / file)) ids = ids_in(*config, "eos_token_id");
  }
  for (const int32_t id : ids) add(id);
  return tokens;
}

}  // namespace tinyllm
