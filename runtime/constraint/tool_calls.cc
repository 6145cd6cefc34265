#include <tinyllm/runtime/constraint/tool_calls.h>

#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <set>

namespace tinyllm {
namespace {

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

// `open` and `close` stand around each call, and `again` before the next one.
AnswerForm form_of(std::span<const Tool> tools, std::string_view open, std::string_view close, std::string again) {
  check_names(tools);
  AnswerForm form{.end = fmt::format("}}{}", close), .again = std::move(again)};
  for (const Tool& tool : tools) {
    const std::string what = fmt::format("function {}", tool.name);
    const Json schema = parse_json(tool.parameters, what);
    if (!schema.is_object() || schema.value("type", Json()) != "object") {
      throw Error("{}: /: expected a schema of type object", what);
    }
    form.choices.push_back({.begin = fmt::format("{}{{\"name\": \"{}\", \"arguments\": ", open, tool.name),
                            .schema = tool.parameters,
                            .what = what,
                            .is_strict = tool.is_strict});
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
    const std::string call =
        fmt::format("{}\n{{\"name\": \"f\", \"arguments\": {{\"a\": 1}}}}\n{}", kCallOpening, kClose);
    return text.find(call) != std::string::npos ? CallStyle::tagged : CallStyle::plain;
  } catch (const Error&) {
    return CallStyle::plain;  // It has no form for calls at all.
  }
}

AnswerForm call_form(std::span<const Tool> tools, CallStyle style, bool several,
                     std::vector<AnswerForm::FreePart> free) {
  const std::string again = several ? "\n" : "";
  AnswerForm form = style == CallStyle::plain
                        ? form_of(tools, "", "", again)
                        : form_of(tools, fmt::format("{}\n", kCallOpening), fmt::format("\n{}", kClose), again);
  form.free = std::move(free);
  return form;
}

AnswerForm optional_call_form(std::span<const Tool> tools, bool several) {
  AnswerForm form =
      form_of(tools, "\n", fmt::format("\n{}", kClose), several ? fmt::format("\n{}", kCallOpening) : std::string());
  form.free = {{.until = std::string(kCallOpening)}};
  form.may_end_in_free = true;
  return form;
}

ToolAnswer::Part ToolAnswer::add(std::string_view text, bool is_last) {
  held_ += text;
  Part part;
  while (take_call(part)) {
  }
  if (is_last) part.content += std::exchange(held_, {});
  return part;
}

void ToolAnswer::Object::add(char c) {
  if (in_text) {
    in_text = is_escaped || c != '"';
    is_escaped = !is_escaped && c == '\\';
    return;
  }
  in_text = c == '"';
  if (c == '{') ++depth;
  has_ended = c == '}' && --depth == 0;
}

// Where what may be a call begins; before it is content. Line feeds before a call belong to it.
size_t ToolAnswer::begin_of_call() const {
  if (style_ == CallStyle::plain) return 0;
  size_t begin = held_.find(kCallOpening);
  if (begin == std::string::npos) {
    size_t length = std::min(held_.size(), kCallOpening.size() - 1);
    while (!held_.ends_with(kCallOpening.substr(0, length))) --length;
    begin = held_.size() - length;
  }
  while (begin > 0 && held_[begin - 1] == '\n') --begin;
  return begin;
}

// Gives out what is known. Returns whether a call was among it.
bool ToolAnswer::take_call(Part& part) {
  const bool is_tagged = style_ == CallStyle::tagged;
  if (scanned_ == 0) {
    const size_t content = begin_of_call();
    part.content += held_.substr(0, content);
    held_.erase(0, content);
    const size_t open = is_tagged ? held_.find(kCallOpening) : 0;
    if (open == std::string::npos) return false;
    scanned_ = is_tagged ? open + kCallOpening.size() : 0;
    begin_ = scanned_;
  }
  while (scanned_ < held_.size() && !object_.has_ended) object_.add(held_[scanned_++]);
  const std::string close = is_tagged ? fmt::format("\n{}", kClose) : "";
  if (!object_.has_ended || !std::string_view(held_).substr(scanned_).starts_with(close)) return false;
  const auto json = nlohmann::ordered_json::parse(held_.substr(begin_, scanned_ - begin_), nullptr, false);
  const bool is_call =
      json.is_object() && json.contains("name") && json["name"].is_string() && json.contains("arguments");
  if (!is_call) return false;
  part.calls.push_back({json["name"].get<std::string>(), json["arguments"].dump()});
  held_.erase(0, scanned_ + close.size());
  scanned_ = 0;
  object_ = {};
  return true;
}

}  // namespace tinyllm
