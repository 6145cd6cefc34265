// Reads the chat template from the files of a model folder.
#include <tinyllm/model/text/jinja_chat_template.h>

#include <tinyllm/model/text/jinja_template.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{16} << 20;
constexpr uint64_t kMaxTokenizerBytes = uint64_t{64} << 20;

// A token is a string, or an object whose `content` is the string.
std::string token_text(const Json& config, const char* field) {
  const Json* token = find_field(config, field);
  if (token == nullptr) return "";
  std::string text;
  if (token->is_object()) {
    read_field(*token, "content", text);
  } else {
    read_value(*token, field, text);
  }
  return text;
}

// The template is a string, or one of a list of {name, template}.
std::string template_in(const Json& config) {
  const Json* given = find_field(config, "chat_template");
  if (given == nullptr) return "";
  std::string source;
  if (!given->is_array()) {
    read_value(*given, "chat_template", source);
    return source;
  }
  for (const Json& entry : *given) {
    if (!entry.is_object()) throw Error("field chat_template: expected a list of objects");
    std::string name;
    read_field(entry, "name", name);
    if (name == "default" || given->size() == 1) read_field(entry, "template", source);
  }
  if (source.empty()) throw Error("field chat_template: none of its {} templates is \"default\"", given->size());
  return source;
}

void add_tokens(const Json& entries, std::vector<std::string>& tokens) {
  for (const Json& entry : entries) {
    if (!entry.is_object()) throw Error("added tokens: expected objects");
    read_field(entry, "content", tokens.emplace_back());
  }
}

Json load(const ModelFiles& files, const std::string& name, uint64_t most) {
  return parse_json_object(files.read(name, most), files.path(name));
}

std::vector<std::string> special_tokens(const Json& config, const ModelFiles& files) {
  std::vector<std::string> tokens;
  if (const Json* added = find_field(config, "added_tokens_decoder")) {
    add_tokens(*added, tokens);
  } else if (files.has("tokenizer.json")) {
    const Json tokenizer = load(files, "tokenizer.json", kMaxTokenizerBytes);
    if (const Json* list = find_field(tokenizer, "added_tokens")) add_tokens(*list, tokens);
  }
  return tokens;
}

}  // namespace

std::optional<JinjaChatTemplate> load_jinja_chat_template(const ModelFiles& files) {
  constexpr const char* kOwn = "chat_template.jinja";
  constexpr const char* kConfig = "tokenizer_config.json";
  const Json config = files.has(kConfig) ? load(files, kConfig, kMaxConfigBytes) : Json::object();
  const bool has_own = files.has(kOwn);
  const std::string own_source = has_own ? files.read(kOwn, JinjaTemplate::kMaxSourceBytes) : "";
  try {
    const std::string source = has_own ? own_source : template_in(config);
    if (source.empty()) return std::nullopt;
    JinjaSettings settings;
    settings.special_tokens = special_tokens(config, files);
    settings.bos_token = token_text(config, "bos_token");
    settings.eos_token = token_text(config, "eos_token");
    for (const std::string& token : {settings.bos_token, settings.eos_token}) {
      if (!token.empty()) settings.special_tokens.push_back(token);
    }
    return JinjaChatTemplate(source, std::move(settings));
  } catch (const Error& error) {
    throw Error("{}: {}", files.path(has_own ? kOwn : kConfig), error.what());
  }
}

}  // namespace tinyllm
