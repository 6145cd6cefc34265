#include <tinyllm/model/text/jinja/context.h>

#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm::jinja {
namespace {

using Json = nlohmann::ordered_json;

Value text_of(std::string_view bytes, int32_t source, Budget& budget) {
  check_utf8(bytes, "a text for the chat template");
  return make_text(Text(bytes, {source}), budget);
}

Value convert(const Json& json, int32_t source, int depth, Budget& budget) {
  if (depth > kMaxValueDepth) throw Error("the chat template's input nests deeper than {} levels", kMaxValueDepth);
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_float()) return json.get<double>();
  if (json.is_number_unsigned() && json.get<uint64_t>() > uint64_t{INT64_MAX}) {
    throw Error("the chat template's input has an integer that is too large");
  }
  if (json.is_number()) return json.get<int64_t>();
  if (json.is_string()) return text_of(json.get_ref<const std::string&>(), source, budget);
  if (json.is_array()) {
    std::vector<Value> items;
    for (const Json& item : json) items.push_back(convert(item, source, depth + 1, budget));
    return make_list(std::move(items), budget, List::Kind::list, source);
  }
  if (!json.is_object()) return None{};
  std::vector<std::pair<Value, Value>> entries;
  for (const auto& [key, value] : json.items()) {
    entries.emplace_back(text_of(key, source, budget), convert(value, source, depth + 1, budget));
  }
  return make_dict(std::move(entries), budget, source);
}

// Templates build markers from the names of roles, as in `'<|' + message.role + '|>'`. These names therefore count as
// the template's own text. Any other role is text of the message.
bool is_role(std::string_view name) {
  static constexpr std::string_view kRoles[] = {"system",      "user",        "assistant",  "tool",         "developer",
                                                "function",    "ipython",     "model",      "tool_results", "tool_call",
                                                "observation", "environment", "tool_calls", "tool_response"};
  return std::find(std::begin(kRoles), std::end(kRoles), name) != std::end(kRoles);
}

Value message_value(const Json& message, int32_t index, Budget& budget) {
  Value value = from_json(message, index, budget);
  if (!message.is_object()) throw Error("message {}: is {}, expected an object", index + 1, type_name(value));
  std::vector<std::pair<Value, Value>> entries = dict_in(value)->entries;
  for (auto& [key, field] : entries) {
    const Text* text = text_in(field);
    if (text_in(key)->bytes() == "role" && text != nullptr && is_role(text->bytes())) {
      field = make_text(text->bytes(), budget);
    }
  }
  return make_dict(std::move(entries), budget, index);
}

}  // namespace

Value from_json(const Json& json, int32_t source, Budget& budget) { return convert(json, source, 0, budget); }

Names globals_of(const JinjaInput& input, Budget& budget) {
  Names names;
  std::vector<Value> messages;
  for (const Json& message : input.messages) {
    messages.push_back(message_value(message, static_cast<int32_t>(messages.size()), budget));
  }
  names["messages"] = make_list(std::move(messages), budget);
  names["tools"] = from_json(input.tools, kFromRequest, budget);
  names["documents"] = None{};
  names["add_generation_prompt"] = input.add_generation_prompt;
  names["bos_token"] = make_text(input.bos_token, budget);
  names["eos_token"] = make_text(input.eos_token, budget);
  if (input.enable_thinking) names["enable_thinking"] = *input.enable_thinking;
  for (const auto& [name, value] : input.extra.items()) names[name] = from_json(value, kFromRequest, budget);
  return names;
}

}  // namespace tinyllm::jinja
