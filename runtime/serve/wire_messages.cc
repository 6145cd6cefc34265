#include <tinyllm/runtime/serve/wire_messages.h>

#include <tinyllm/model/text/messages_json.h>
#include <tinyllm/runtime/serve/api_error.h>

#include <algorithm>
#include <set>

namespace tinyllm {
namespace {

[[noreturn]] void missing(const std::string& param) {
  throw ApiError(400, "missing_required_parameter", param, "{}: missing", param);
}

[[noreturn]] void wrong_type(const std::string& param, const Json& value, std::string_view expected) {
  throw ApiError(400, "invalid_type", param, "{}: is {}, expected {}", param, type_of(value), expected);
}

// A field that must be a string, if it is there.
const Json* text_field(const Json& object, const char* name, const std::string& param) {
  const Json* value = find_field(object, name);
  if (value != nullptr && !value->is_string()) wrong_type(fmt::format("{}.{}", param, name), *value, "a string");
  return value;
}

void need_text(const Json& object, const char* name, const std::string& param) {
  if (text_field(object, name, param) == nullptr) missing(fmt::format("{}.{}", param, name));
}

void check_call(const Json& call, const std::string& param) {
  if (!call.is_object()) wrong_type(param, call, "an object");
  need_text(call, "id", param);
  const Json* function = find_field(call, "function");
  if (function == nullptr) missing(param + ".function");
  if (!function->is_object()) wrong_type(param + ".function", *function, "an object");
  need_text(*function, "name", param + ".function");
  const Json* arguments = find_field(*function, "arguments");
  if (arguments == nullptr) missing(param + ".function.arguments");
  if (!arguments->is_string() && !arguments->is_object()) {
    wrong_type(param + ".function.arguments", *arguments, "JSON in a string");
  }
}

// What must be there, and of which type. Which roles there are, `read_message` knows.
void check_message(const Json& message, const std::string& param) {
  if (!message.is_object()) wrong_type(param, message, "an object");
  need_text(message, "role", param);
  text_field(message, "name", param);
  text_field(message, "tool_call_id", param);
  const bool is_answer = message["role"] == "assistant";
  const Json* content = find_field(message, "content");
  if (content == nullptr && !is_answer) missing(param + ".content");
  if (content != nullptr && !content->is_string() && !content->is_array()) {
    wrong_type(param + ".content", *content, "a string or a list of parts");
  }
  const Json* calls = find_field(message, "tool_calls");
  if (calls == nullptr) return;
  if (!calls->is_array()) wrong_type(param + ".tool_calls", *calls, "a list");
  for (size_t i = 0; i < calls->size(); ++i) check_call((*calls)[i], fmt::format("{}.tool_calls[{}]", param, i));
}

// The part that `read_message` refused, for programs.
std::string wrong_part(const Json& message, const std::string& param) {
  static constexpr std::string_view kRoles[] = {"system", "developer", "user", "assistant", "tool"};
  if (std::ranges::find(kRoles, message["role"].get<std::string>()) == std::end(kRoles)) return param + ".role";
  return find_field(message, "tool_calls") != nullptr ? param + ".tool_calls" : param + ".content";
}

// Every result of a tool belongs to a call of the answer before it, and every call has its result.
void check_results(const Messages& messages, std::string_view field) {
  std::set<std::string> open;
  size_t caller = 0;
  const auto check_answered = [&] {
    if (open.empty()) return;
    const std::string param = fmt::format("{}[{}].tool_calls", field, caller);
    throw ApiError(400, "invalid_value", param, "{}: the call {} has no result after it", param,
                   shortened(*open.begin()));
  };
  bool may_have_results = false;
  for (size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    const std::string param = fmt::format("{}[{}]", field, i);
    if (message.role == Role::system) continue;
    if (message.role == Role::tool) {
      if (!may_have_results) {
        throw ApiError(400, "invalid_value", param + ".role",
                       "{}.role: is tool, expected it after an answer that calls one", param);
      }
      if (message.tool_call_id.empty()) missing(param + ".tool_call_id");
      if (open.erase(message.tool_call_id) == 0) {
        throw ApiError(400, "invalid_value", param + ".tool_call_id", "{}.tool_call_id: {} is no call without a result",
                       param, shortened(message.tool_call_id));
      }
      continue;
    }
    check_answered();
    may_have_results = !message.tool_calls.empty();
    caller = i;
    if (!may_have_results) continue;
    for (const Json& call : Json::parse(message.tool_calls)) open.insert(text_or_none(call, "id"));
  }
  check_answered();
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
    check_message(one, param);
    Json simple = one;
    if (const Json* content = find_field(one, "content"); content != nullptr && content->is_array()) {
      simple["content"] = wire_text(*content, param + ".content", {"text", "refusal"});
    }
    try {
      messages.push_back(read_message(simple, param));
    } catch (const Error& error) {
      throw ApiError(400, "invalid_value", wrong_part(one, param), "{}", error.what());
    }
  }
  return in_order(std::move(messages), field, continues);
}

Messages in_order(Messages messages, std::string_view field, bool continues) {
  check_results(messages, field);
  Message system{Role::system, ""};
  for (const Message& message : messages) {
    if (message.role != Role::system) continue;
    if (!system.content.empty() && !message.content.empty()) system.content += "\n\n";
    system.content += message.content;
  }
  const bool has_system = std::erase_if(messages, [](const Message& m) { return m.role == Role::system; }) > 0;
  if (has_system) messages.insert(messages.begin(), std::move(system));
  // Templates want a turn to answer.
  if (messages.back().role == Role::system) messages.push_back({Role::user, ""});
  if (continues && messages.back().role != Role::assistant) {
    throw ApiError(400, "invalid_value", field,
                   "{}: the last message is the {}'s, expected the assistant's to go on with", field,
                   name_of(messages.back().role));
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
  for (size_t i = 0; i < content.size(); ++i) {
    const Json& part = content[i];
    const std::string where = fmt::format("{}[{}]", param, i);
    if (!part.is_object()) wrong_type(where, part, "an object");
    need_text(part, "type", where);
    const std::string type = part["type"];
    if (std::ranges::find(text_types, type) == text_types.end()) {
      throw ApiError(400, "invalid_value", param, "{}: a part of type {}, expected one of type {} with a text", param,
                     shortened(type), *text_types.begin());
    }
    const char* name = type == "refusal" ? "refusal" : "text";
    need_text(part, name, where);
    all += part[name].get<std::string>();
  }
  return all;
}

}  // namespace tinyllm
