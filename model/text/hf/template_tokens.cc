#include <tinyllm/model/text/hf/template_tokens.h>

#include <tinyllm/model/text/hf/normalizer.h>
#include <tinyllm/tensor/base/error.h>

#include <string>

namespace tinyllm {
namespace {

constexpr size_t kMaxTokens = 1000;

int32_t read_id(const Json& json) {
  int64_t id = 0;
  read_value(json, "post_processor", id);
  if (id < 0 || id > INT32_MAX) throw Error("field post_processor: token {}", id);
  return static_cast<int32_t>(id);
}

void add_template(const Json& json, HfTemplateTokens& tokens) {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
  bool is_after = false;
  const Json& special = need_field(json, "special_tokens");
  for (const Json& part : need_field(json, "single")) {
    if (!part.is_object()) throw Error("field single: has {}, expected an object", type_of(part));
    if (part.contains("Sequence")) {
      is_after = true;
      continue;
    }
    std::string name;
    read_field(need_field(part, "SpecialToken"), "id", name);
    for (const Json& id : need_field(need_field(special, name.c_str()), "ids")) {
      (is_after ? after : before).push_back(read_id(id));
    }
    if (before.size() + after.size() > kMaxTokens) throw Error("field single: more than {} tokens", kMaxTokens);
  }
  tokens.before.insert(tokens.before.begin(), before.begin(), before.end());
  tokens.after.insert(tokens.after.end(), after.begin(), after.end());
}

void add(const Json& json, HfTemplateTokens& tokens, int depth) {
  std::string type;
  read_field(json, "type", type);
  if (type == "Sequence") {
    if (depth == kMaxHfSequences) throw Error("field post_processor: sequences are nested too deeply");
    for (const Json& part : need_field(json, "processors")) add(part, tokens, depth + 1);
  } else if (type == "TemplateProcessing") {
    add_template(json, tokens);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    const auto id_of = [&](const char* field) {
      const Json& pair = need_field(json, field);
      if (!pair.is_array() || pair.size() != 2) throw Error("field {}: expected a token and its number", field);
      return read_id(pair[1]);
    };
    tokens.before.insert(tokens.before.begin(), id_of("cls"));
    tokens.after.push_back(id_of("sep"));
  } else if (type != "ByteLevel") {
    throw Error(
        "field post_processor: type {}, expected ByteLevel, TemplateProcessing, BertProcessing, "
        "RobertaProcessing or Sequence",
        shortened(type));
  }
}

}  // namespace

HfTemplateTokens read_hf_template(const Json* json) {
  HfTemplateTokens tokens;
  if (json != nullptr) add(*json, tokens, 0);
  return tokens;
}

}  // namespace tinyllm
