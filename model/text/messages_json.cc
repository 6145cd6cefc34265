#include <tinyllm/model/text/messages_json.h>

namespace tinyllm {
namespace {

// The content: a string, or a list of text parts.
std::string content_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) throw Error("content is {}, expected a string or a list", type_of(value));
  std::string content;
  for (const Json& part : value) {
    if (!part.is_object()) throw Error("a part of the content is {}, expected an object", type_of(part));
    const std::string type = text(part, "type");
    if (type != "text") throw Error("a part of the content is of type {}, expected text", shortened(type));
    content += text_or_none(part, "text");
  }
  return content;
}

// Whether a message is learned: its weight is not 0.
bool is_learned(const Json& message) {
  const Json* weight = find_field(message, "weight");
  if (weight == nullptr || *weight == 1) return true;
  if (*weight == 0) return false;
  throw Error("field weight: is {}, expected 0 or 1",
              weight->is_number() ? weight->dump() : std::string(type_of(*weight)));
}

Role role_of(const std::string& name) {
  if (name == "system" || name == "developer") return Role::system;
  if (name == "user" || name == "human") return Role::user;
  if (name == "assistant" || name == "gpt") return Role::assistant;
  if (name == "tool") return Role::tool;
  throw Error("role {}, expected system, user (human), assistant (gpt) or tool", shortened(name));
}

std::string tool_calls_of(const Json& message, Role role) {
  const Json* calls = find_field(message, "tool_calls");
  if (calls == nullptr) return {};
  if (!calls->is_array()) throw Error("field tool_calls: is {}, expected a list", type_of(*calls));
  if (calls->empty()) return {};
  if (role != Role::assistant) throw Error("field tool_calls: is the {}'s, expected the assistant's", name_of(role));
  return calls->dump();
}

Message message_of(const Json& value) {
  if (!value.is_object()) throw Error("is {}, expected a message", type_of(value));
  const bool is_sharegpt = find_field(value, "from") != nullptr && find_field(value, "role") == nullptr;
  const char* field = is_sharegpt ? "value" : "content";
  Message message{role_of(text(value, is_sharegpt ? "from" : "role")), {}, is_learned(value)};
  const bool may_be_missing = message.role == Role::assistant;
  const Json* content = may_be_missing ? find_field(value, field) : &need_field(value, field);
  if (content != nullptr) message.content = content_of(*content);
  message.name = text_or_none(value, "name");
  message.reasoning_content = text_or_none(value, "reasoning_content");
  if (message.reasoning_content.empty()) message.reasoning_content = text_or_none(value, "reasoning");
  message.tool_calls = tool_calls_of(value, message.role);
  message.tool_call_id = text_or_none(value, "tool_call_id");
  return message;
}

}  // namespace

Message read_message(const Json& value, std::string_view where) {
  try {
    return message_of(value);
  } catch (const Error& error) {
    throw Error("{}: {}", where, error.what());
  }
}

Messages read_messages(const Json& list, std::string_view where) {
  if (!list.is_array() || list.empty()) {
    throw Error("{}: is {}, expected a list of messages", where, list.is_array() ? "an empty list" : type_of(list));
  }
  Messages messages;
  for (const Json& value : list) {
    messages.push_back(read_message(value, fmt::format("{}: message {}", where, messages.size() + 1)));
  }
  return messages;
}

}  // namespace tinyllm
