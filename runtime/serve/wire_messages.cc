#include <tinyllm/runtime/serve/wire_messages.h>

#include <tinyllm/model/text/messages_json.h>
#include <tinyllm/runtime/serve/api_error.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Which part of a message is wrong, for programs.
std::string wrong_part(const Json& message, const std::string& param) {
  if (!message.is_object()) return param;
  const Json* role = find_field(message, "role");
  static constexpr std::string_view kRoles[] = {"system", "developer", "user", "assistant", "tool"};
  if (role == nullptr || !role->is_string() ||
      std::ranges::find(kRoles, role->get<std::string>()) == std::end(kRoles)) {
    return param + ".role";
  }
  const Json* calls = find_field(message, "tool_calls");
  if (calls != nullptr && (!calls->is_array() || *role != "assistant")) return param + ".tool_calls";
  return param + ".content";
}

}  // namespace

Messages wire_messages(const Json& list, std::string_view field, bool continues) {
  if (list.empty()) throw ApiError(400, "invalid_value", field, "{}: is empty, expected at least one message", field);
  if (list.size() > kMaxMessages) {
    throw ApiError(400, "invalid_value", field, "{}: {} messages, expected at most {}", field, list.size(),
                   kMaxMessages);
  }
  Messages messages;
  for (const Json& one : list) {
    const std::string param = fmt::format("{}[{}]", field, messages.size());
    try {
      messages.push_back(read_message(one, param));
    } catch (const Error& error) {
      throw ApiError(400, "invalid_value", wrong_part(one, param), "{}", error.what());
    }
  }
  return in_order(std::move(messages), field, continues);
}

Messages in_order(Messages messages, std::string_view field, bool continues) {
  Message system{Role::system, ""};
  for (const Message& message : messages) {
    if (message.role != Role::system) continue;
    if (!system.content.empty() && !message.content.empty()) system.content += "\n\n";
    system.content += message.content;
  }
  const bool has_system = std::erase_if(messages, [](const Message& m) { return m.role == Role::system; }) > 0;
  if (has_system) messages.insert(messages.begin(), std::move(system));
  const Role last = messages.empty() ? Role::system : messages.back().role;
  const bool is_fine = continues ? last == Role::assistant : last == Role::user || last == Role::tool;
  if (!is_fine) {
    throw ApiError(400, "invalid_value", field, "{}: the last message is the {}'s, expected one of the {}", field,
                   name_of(last), continues ? "assistant to go on with" : "user to answer");
  }
  return messages;
}

std::string wire_text(const Json& content, std::string_view param, std::initializer_list<std::string_view> text_types) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) {
    throw ApiError(400, "invalid_type", param, "{}: is {}, expected a string or a list of parts", param,
                   type_of(content));
  }
  std::string all;
  for (const Json& part : content) {
    const Json* type = part.is_object() ? find_field(part, "type") : nullptr;
    const Json* text = part.is_object() ? find_field(part, "text") : nullptr;
    const std::string name = type != nullptr && type->is_string() ? type->get<std::string>() : "";
    if (std::ranges::find(text_types, name) == text_types.end() || text == nullptr || !text->is_string()) {
      throw ApiError(400, "invalid_value", param, "{}: a part of type {}, expected one of type {} with a text", param,
                     shortened(name), *text_types.begin());
    }
    all += text->get<std::string>();
  }
  return all;
}

}  // namespace tinyllm
