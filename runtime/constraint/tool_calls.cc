#include <tinyllm/runtime/constraint/tool_calls.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <set>

namespace tinyllm {
namespace {

constexpr std::string_view kOpen = "<tool_call>";
constexpr std::string_view kClose = "</tool_call>";
constexpr size_t kMaxName = 64;

void check_names(std::span<const Tool> tools) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  if (tools.empty()) throw Error("tools: none, expected at least one");
  std::set<std::string_view> names;
  for (const Tool& tool : tools) {
    const bool is_allowed = tool.name.find_first_not_of(kAllowed) == std::string::npos;
    if (tool.name.empty() || tool.name.size() > kMaxName || !is_allowed) {
      throw Error("tools: a function is called {}, expected 1 to {} letters, digits, _ and -", shortened(tool.name),
                  kMaxName);
    }
    if (!names.insert(tool.name).second) throw Error("tools: two functions are called {}", tool.name);
  }
}

// `open` and `close` stand around the call.
AnswerForm form_of(std::span<const Tool> tools, std::string_view open, std::string_view close) {
  check_names(tools);
  AnswerForm form{.end = fmt::format("}}{}", close)};
  for (const Tool& tool : tools) {
    const std::string what = fmt::format("function {}", tool.name);
    const Json schema = parse_json(tool.parameters, what);
    if (!schema.is_object() || schema.value("type", Json()) != "object") {
      throw Error("{}: /: expected a schema of type object", what);
    }
    form.choices.push_back({.begin = fmt::format("{}{{\"name\": \"{}\", \"arguments\": ", open, tool.name),
                            .schema = tool.parameters,
                            .what = what});
  }
  return form;
}

}  // namespace

CallStyle call_style_of(const ChatTemplate& chat_template) {
  const Messages messages = {
      {.role = Role::user, .content = "x"},
      {.role = Role::assistant,
       .content = "",
       .tool_calls = R"([{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}])"}};
  try {
    std::string text;
    for (const Piece& piece : chat_template.render(messages, {})) text += piece.text;
    const std::string call = fmt::format("{}\n{{\"name\": \"f\", \"arguments\": {{\"a\": 1}}}}\n{}", kOpen, kClose);
    return text.find(call) != std::string::npos ? CallStyle::tagged : CallStyle::plain;
  } catch (const Error&) {
    return CallStyle::plain;  // It has no form for calls at all.
  }
}

AnswerForm call_form(std::span<const Tool> tools, CallStyle style, std::vector<AnswerForm::FreePart> free) {
  AnswerForm form = style == CallStyle::plain ? form_of(tools, "", "")
                                              : form_of(tools, fmt::format("{}\n", kOpen), fmt::format("\n{}", kClose));
  form.free = std::move(free);
  return form;
}

AnswerForm optional_call_form(std::span<const Tool> tools) {
  AnswerForm form = form_of(tools, "\n", fmt::format("\n{}", kClose));
  form.free = {{.until = std::string(kOpen)}};
  form.may_end_in_free = true;
  return form;
}

ToolAnswer parse_tool_answer(std::string_view answer, CallStyle style) {
  std::string_view content, call = answer;
  if (style == CallStyle::tagged) {
    const size_t begin = answer.find(kOpen);
    const size_t end = answer.find(kClose, std::min(begin, answer.size()));
    // The arguments may hold the closing text too: it is the last thing of the answer.
    if (end == std::string_view::npos || !answer.ends_with(kClose)) return {std::string(answer)};
    content = answer.substr(0, begin);
    call = answer.substr(begin + kOpen.size(), answer.size() - kClose.size() - begin - kOpen.size());
  }
  const auto json = nlohmann::ordered_json::parse(call, nullptr, false);
  const bool is_call =
      json.is_object() && json.contains("name") && json["name"].is_string() && json.contains("arguments");
  if (!is_call) return {std::string(answer)};
  while (!content.empty() && content.back() == '\n') content.remove_suffix(1);
  return {std::string(content), json["name"].get<std::string>(), json["arguments"].dump()};
}

}  // namespace tinyllm
