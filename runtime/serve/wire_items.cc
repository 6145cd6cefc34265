#include <tinyllm/runtime/serve/wire_items.h>

#include <tinyllm/model/text/messages_json.h>
#include <tinyllm/runtime/serve/api_error.h>

namespace tinyllm {
namespace {

[[noreturn]] void refuse(const std::string& param, std::string_view what) {
  throw ApiError(400, "invalid_value", param, "{}: {}", param, what);
}

std::string need_text(const Json& object, const char* name, const std::string& param) {
  const Json* value = find_field(object, name);
  if (value == nullptr || !value->is_string()) refuse(fmt::format("{}.{}", param, name), "expected a string");
  return value->get<std::string>();
}

void check_list(const Json& list, std::string_view param) {
  if (!list.is_array()) {
    throw ApiError(400, "invalid_type", param, "{}: is {}, expected a list", param, type_of(list));
  }
  if (list.empty()) throw ApiError(400, "invalid_value", param, "{}: is empty, expected at least one item", param);
  if (list.size() <= kMaxMessages) return;
  throw ApiError(400, "invalid_value", param, "{}: {} items, expected at most {}", param, list.size(), kMaxMessages);
}

// Calls are kept as the chat templates expect them.
void add_call(Message& message, const std::string& id, const std::string& name, const Json& arguments) {
  Json calls = message.tool_calls.empty() ? Json::array() : Json::parse(message.tool_calls);
  calls.push_back({{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", arguments}}}});
  message.tool_calls = calls.dump();
}

// ---- /v1/responses: an answer is one item for its chain of thought, one for its text and one for each call. ---------

// The assistant's message that an item goes on with, or a new one.
Message& answer_of(Messages& messages) {
  if (messages.empty() || messages.back().role != Role::assistant) messages.push_back({Role::assistant, ""});
  return messages.back();
}

std::string reasoning_of(const Json& item, const std::string& param) {
  const Json* content = find_field(item, "content");
  return content == nullptr ? "" : wire_text(*content, param + ".content", {"reasoning_text"});
}

void add_message(const Json& item, const std::string& param, Messages& messages) {
  Json one = item;
  if (const Json* content = find_field(item, "content")) {
    one["content"] = wire_text(*content, param + ".content", {"input_text", "output_text", "text", "refusal"});
  }
  Message message;
  try {
    message = read_message(one, param);
  } catch (const Error& error) {
    refuse(param, std::string_view(error.what()).substr(param.size() + 2));
  }
  const bool goes_on = message.role == Role::assistant && !messages.empty() &&
                       messages.back().role == Role::assistant && messages.back().content.empty();
  if (goes_on) {
    messages.back().content = std::move(message.content);
  } else {
    messages.push_back(std::move(message));
  }
}

void add_item(const Json& item, const std::string& param, Messages& messages) {
  if (!item.is_object()) refuse(param, fmt::format("is {}, expected an object", type_of(item)));
  const std::string type = find_field(item, "type") == nullptr ? "message" : need_text(item, "type", param);
  if (type == "message") return add_message(item, param, messages);
  if (type == "reasoning") {
    answer_of(messages).reasoning_content += reasoning_of(item, param);
  } else if (type == "function_call") {
    add_call(answer_of(messages), need_text(item, "call_id", param), need_text(item, "name", param),
             need_text(item, "arguments", param));
  } else if (type == "function_call_output") {
    Message message{Role::tool, ""};
    const Json* output = find_field(item, "output");
    if (output == nullptr) refuse(param + ".output", "missing");
    message.content = wire_text(*output, param + ".output", {"input_text"});
    message.tool_call_id = need_text(item, "call_id", param);
    messages.push_back(std::move(message));
  } else {
    refuse(param + ".type", shortened(type) + ", expected message, reasoning, function_call or function_call_output");
  }
}

// ---- /v1/messages -------------------------------------------------------------------------------------------------

void add_block(const Json& block, const std::string& param, Message& message, Messages& messages) {
  const std::string type = block.is_object() ? need_text(block, "type", param) : "";
  const bool is_answer = message.role == Role::assistant;
  if (type == "text") {
    message.content += need_text(block, "text", param);
  } else if (type == "thinking" && is_answer) {
    message.reasoning_content += need_text(block, "thinking", param);
  } else if (type == "redacted_thinking" && is_answer) {
    // Nothing that a model could read.
  } else if (type == "tool_use" && is_answer) {
    const Json* input = find_field(block, "input");
    if (input == nullptr || !input->is_object()) refuse(param + ".input", "expected an object");
    add_call(message, need_text(block, "id", param), need_text(block, "name", param), *input);
  } else if (type == "tool_result" && !is_answer) {
    Message result{Role::tool, ""};
    const Json* content = find_field(block, "content");
    if (content != nullptr) result.content = wire_text(*content, param + ".content", {"text"});
    result.tool_call_id = need_text(block, "tool_use_id", param);
    messages.push_back(std::move(result));
  } else {
    refuse(param + ".type", fmt::format("{}, expected {}", shortened(type),
                                        is_answer ? "text, thinking or tool_use" : "text or tool_result"));
  }
}

}  // namespace

Messages response_items(const Json& input, std::string_view param) {
  if (input.is_string()) return {{Role::user, input.get<std::string>()}};
  check_list(input, param);
  Messages messages;
  for (size_t i = 0; i < input.size(); ++i) add_item(input[i], fmt::format("{}[{}]", param, i), messages);
  return messages;
}

Messages block_messages(const Json& list, std::string_view param) {
  check_list(list, param);
  Messages messages;
  for (size_t i = 0; i < list.size(); ++i) {
    const Json& one = list[i];
    const std::string where = fmt::format("{}[{}]", param, i);
    if (!one.is_object()) refuse(where, fmt::format("is {}, expected an object", type_of(one)));
    const std::string role = need_text(one, "role", where);
    if (role != "user" && role != "assistant") refuse(where + ".role", "expected user or assistant");
    Message message{role == "user" ? Role::user : Role::assistant, ""};
    const Json* content = find_field(one, "content");
    if (content == nullptr) refuse(where + ".content", "missing");
    size_t results = messages.size();
    if (content->is_array()) {
      for (size_t b = 0; b < content->size(); ++b) {
        add_block((*content)[b], fmt::format("{}.content[{}]", where, b), message, messages);
      }
    } else {
      message.content = wire_text(*content, where + ".content", {"text"});
    }
    results = messages.size() - results;
    if (results == 0 || !message.content.empty()) messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace tinyllm
