#include <doctest/doctest.h>

#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/runtime/constraint/tool_calls.h>
#include <tinyllm/tensor/base/file.h>

#include "error_of.h"
#include "runtime/constraint/schemas.h"
#include "test_data.h"

#include <filesystem>

namespace tinyllm::test {
namespace {

const std::vector<Tool>& tools() {
  static const std::vector<Tool> all = {
      {"get_weather", R"({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]})"},
      {"get", R"({"type": "object", "properties": {"n": {"type": "integer"}}})"}};
  return all;
}

}  // namespace

TEST_CASE("a template says how its model writes calls") {
  CHECK(call_style_of(*default_chat_template()) == CallStyle::plain);
  const auto source = [](const char* name) { return read_file(test_data("chat") / name); };
  CHECK(call_style_of(JinjaChatTemplate(source("qwen3.jinja"), {})) == CallStyle::tagged);
  CHECK(call_style_of(JinjaChatTemplate(source("zephyr_tinyllama.jinja"), {})) == CallStyle::plain);
}

TEST_CASE("a call is one of the functions with arguments of its schema") {
  const auto plain = compile_form(call_form(tools(), CallStyle::plain, false));
  CHECK(accepts(*plain, R"({"name": "get_weather", "arguments": {"city": "Berlin"}})"));
  CHECK(accepts(*plain, R"({"name": "get", "arguments": {"n": 3}})"));
  CHECK_FALSE(accepts(*plain, R"({"name": "get", "arguments": {"city": "Berlin"}})"));
  CHECK_FALSE(accepts(*plain, R"({"name": "gets", "arguments": {}})"));
  CHECK_FALSE(accepts(*plain, "I call nothing."));
  const auto tagged = compile_form(call_form(tools(), CallStyle::tagged, false, {{"<think>", "</think>", 2}}));
  CHECK(accepts(*tagged, "<tool_call>\n{\"name\": \"get\", \"arguments\": {}}\n</tool_call>"));
  CHECK(accepts(*tagged, "<think>Hm.</think>\n\n<tool_call>\n{\"name\": \"get\", \"arguments\": {}}\n</tool_call>"));
  CHECK_FALSE(accepts(*tagged, "{\"name\": \"get\", \"arguments\": {}}"));
}

TEST_CASE("a call that is optional follows any text") {
  const auto grammar = compile_form(optional_call_form(tools(), false));
  CHECK(accepts(*grammar, ""));
  CHECK(accepts(*grammar, "Hello <tool> {"));
  CHECK(accepts(*grammar, "Let me see.\n<tool_call>\n{\"name\": \"get\", \"arguments\": {\"n\": 1}}\n</tool_call>"));
  CHECK_FALSE(accepts(*grammar, "<tool_call>"));
  CHECK_FALSE(accepts(*grammar, "<tool_call>\n{\"name\": \"get\", \"arguments\": {}}\n</tool_call> more"));
}

TEST_CASE("what looks like a call in a chain of thought is none") {
  AnswerForm form = optional_call_form(tools(), false);
  for (const std::string name : {"think", "reason"}) {
    form.free.insert(form.free.begin(), {.begin = "<" + name + ">", .until = "</" + name + ">", .is_thought = true});
  }
  const auto grammar = compile_form(form);
  const std::string call = "<tool_call>\n{\"name\": \"get\", \"arguments\": {\"n\": 1}}\n</tool_call>";
  for (const std::string thought : {"<think>", "\n\n<think>", "<reason>"}) {
    CAPTURE(thought);
    CHECK(accepts(*grammar, thought));
    CHECK(accepts(*grammar, thought + " perhaps <tool_call> x"));
    const std::string end = thought.find("think") != std::string::npos ? "</think>" : "</reason>";
    CHECK(accepts(*grammar, thought + "<tool_call>" + end + "\n\nText."));
    CHECK(accepts(*grammar, thought + "Hm." + end + "\n" + call));
    CHECK_FALSE(accepts(*grammar, thought + "Hm." + end + "<tool_call> x"));
  }
  // No thought: as without one.
  for (const std::string text : {"", "\n", "<", "<thin", "<thinner> <think>", "Hello <think>"}) {
    CAPTURE(text);
    CHECK(accepts(*grammar, text));
    CHECK(accepts(*grammar, text + call));
    CHECK_FALSE(accepts(*grammar, text + "<tool_call> x"));
  }
  CHECK(accepts(*grammar, "<" + call));
  // Of one that the prompt has begun.
  form.free = {{.until = "</think>", .is_thought = true}, form.free.back()};
  const auto begun = compile_form(form);
  CHECK(accepts(*begun, "Hm <tool_call> x"));
  CHECK(accepts(*begun, "Hm</think>" + call));
  CHECK_FALSE(accepts(*begun, "Hm</think>\n<tool_call> x"));
}

TEST_CASE("an answer may be several calls, each on lines of its own") {
  const std::string one = R"({"name": "get", "arguments": {"n": 1}})", other = R"({"name": "get", "arguments": {}})";
  const auto tag = [](const std::string& call) { return "<tool_call>\n" + call + "\n</tool_call>"; };
  const auto plain = compile_form(call_form(tools(), CallStyle::plain, true));
  CHECK(accepts(*plain, one));
  CHECK(accepts(*plain, one + "\n" + other + "\n" + one));
  CHECK_FALSE(accepts(*plain, one + "\n"));
  CHECK_FALSE(accepts(*plain, one + other));
  CHECK_FALSE(accepts(*compile_form(call_form(tools(), CallStyle::plain, false)), one + "\n" + other));
  const auto tagged = compile_form(call_form(tools(), CallStyle::tagged, true));
  CHECK(accepts(*tagged, tag(one) + "\n" + tag(other)));
  CHECK_FALSE(accepts(*tagged, tag(one) + "\nText."));
  const auto optional = compile_form(optional_call_form(tools(), true));
  CHECK(accepts(*optional, "Text.\n" + tag(one) + "\n" + tag(other) + "\n" + tag(one)));
  CHECK_FALSE(accepts(*optional, tag(one) + "\n<tool_call>"));
  // What is left to write is counted to the end of the call that has begun.
  const JsonMatcher matcher(*tagged);
  JsonState state = matcher.begin(), next;
  for (const char c : tag(one) + "\n<") {
    REQUIRE(matcher.read(state, static_cast<unsigned char>(c), next));
    std::swap(state, next);
  }
  CHECK(matcher.shortest(state) == std::ssize(tag(other)) - 1);
}

TEST_CASE("an answer is taken apart into text and calls, however it arrives") {
  const auto parsed = [](std::string_view answer, CallStyle style) {
    std::string whole;
    for (size_t piece = 1; piece <= answer.size() + 1; ++piece) {
      ToolAnswer parts(style);
      std::string content, calls;
      for (size_t at = 0; at <= answer.size(); at += piece) {
        const ToolAnswer::Part part = parts.add(answer.substr(at, piece), at + piece > answer.size());
        content += part.content;
        for (const ToolCall& call : part.calls) calls += "|" + call.name + call.arguments;
      }
      if (piece == 1) whole = content + calls;
      CHECK(content + calls == whole);
    }
    return whole;
  };
  CHECK(parsed(R"({"name": "f", "arguments": {"b": 1,  "a": "<tool_call>}\"}"}})", CallStyle::plain) ==
        R"(|f{"b":1,"a":"<tool_call>}\"}"})");
  CHECK(parsed("{\"name\": \"f\", \"arguments\": {}}\n{\"name\": \"g\", \"arguments\": {\n \"a\": {}}}",
               CallStyle::plain) == R"(|f{}|g{"a":{}})");
  CHECK(parsed(R"({"name": "f", "arguments": {"b")", CallStyle::plain) == R"({"name": "f", "arguments": {"b")");
  CHECK(parsed("Text.\n\n<tool_call>\n{\"name\": \"f\", \"arguments\": {\"x\": \"\\n</tool_call>\"}}\n</tool_call>",
               CallStyle::tagged) == R"(Text.|f{"x":"\n</tool_call>"})");
  CHECK(parsed("<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \"g\", "
               "\"arguments\": {}}\n</tool_call>",
               CallStyle::tagged) == "|f{}|g{}");
  CHECK(parsed("Only <text>\nand <tool\n", CallStyle::tagged) == "Only <text>\nand <tool\n");
  CHECK(parsed("Cut\n<tool_call>\n{\"name\": \"f\"", CallStyle::tagged) == "Cut\n<tool_call>\n{\"name\": \"f\"");
  CHECK(parsed("</tool_call>", CallStyle::tagged) == "</tool_call>");
  CHECK(parsed("", CallStyle::tagged) == "");
}

TEST_CASE("names of functions are checked, and errors in a schema name its function") {
  const auto error = [](std::vector<Tool> some) {
    return error_of([&] { compile_form(call_form(some, CallStyle::plain, false)); });
  };
  CHECK(error({}) == "tools: none, expected at least one");
  CHECK(error({{"a b", "true"}}) == "tools: a function is called \"a b\", expected 1 to 64 letters, digits, _ and -");
  CHECK(error({{"a", R"({"type": "object"})"}, {"a", "{}"}}) == "tools: two functions are called a");
  CHECK(error({{"a", R"({"type": "object"})"}, {"b", R"({"type": "object", "properties": {"x": {"pattern": ""}}})"}}) ==
        "function b: /properties/x: keyword pattern is not supported");
  CHECK(error({{"a", R"({"type": "string"})"}}) == "function a: /: expected a schema of type object");
  CHECK(error({{"a", "true"}}) == "function a: /: expected a schema of type object");
}

}  // namespace tinyllm::test
