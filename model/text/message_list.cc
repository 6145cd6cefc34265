#include <tinyllm/model/text/message_list.h>

namespace tinyllm {
namespace {

// A string, or a list of parts that are text.
std::string content_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) throw Error("content is {}, expected a string or a list", type_of(value));
  std::string words;
  for (const Json& part : value) {
    if (!part.is_object()) throw Error("a part of the content is {}, expected an object", type_of(part));
    const std::string type = text(part, "type");
    if (type != "text") throw Error("a part of the content is of type {}, expected text", shortened(type));
    words += text_or_none(part, "text");
  }
  return words;
}

// Whether a message is learned, by its weight.
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
  throw Error("role {}, expected system, user (human) or assistant (gpt)", shortened(name));
}

}  // namespace

Message message_of(const Json& value, std::string_view where) {
  try {
    if (!value.is_object()) throw Error("is {}, expected a message", type_of(value));
    const bool is_sharegpt = find_field(value, "from") != nullptr;
    Message message{role_of(text(value, is_sharegpt ? "from" : "role")),
                    content_of(need_field(value, is_sharegpt ? "value" : "content")), is_learned(value)};
    if (message.role != Role::system && is_blank(message.words)) throw Error("is empty, expected text");
    return message;
  } catch (const Error& error) {
    throw Error("{}: {}", where, error.what());
  }
}

Conversation conversation_of(const Json& list, std::string_view field, Ends ends) {
  if (!list.is_array() || list.empty()) {
    throw Error("field {}: is {}, expected a list of messages", field,
                list.is_array() ? "an empty list" : type_of(list));
  }
  Conversation conversation;
  bool is_asked = false;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("field {}: message {}", field, i + 1);
    Message message = message_of(list[i], where);
    if (message.role == Role::system) {
      if (i != 0) throw Error("{}: is the system's, expected it to be the first", where);
      conversation.system = std::move(message.words);
      continue;
    }
    if ((message.role == Role::assistant) != is_asked) {
      throw Error("{}: is the {}'s, expected the {}'s", where, is_asked ? "user" : "assistant",
                  is_asked ? "assistant" : "user");
    }
    if (is_asked) {
      conversation.turns.back().assistant = std::move(message.words);
      conversation.turns.back().learned = message.learned;
    } else {
      conversation.turns.push_back({std::move(message.words), ""});
    }
    is_asked = !is_asked;
  }
  if (is_asked != (ends == Ends::asked) || conversation.turns.empty()) {
    throw Error("field {}: ends without a message of the {}", field, ends == Ends::asked ? "user" : "assistant");
  }
  return conversation;
}

}  // namespace tinyllm
