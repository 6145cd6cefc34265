#include <doctest/doctest.h>

#include <tinyllm/model/text/messages_json.h>

namespace tinyllm::test {
namespace {

Message message(std::string_view json) { return read_message(parse_json(json, "test"), "it"); }
Messages messages(std::string_view json) { return read_messages(parse_json(json, "test"), "field messages"); }

}  // namespace

TEST_CASE("a message is read with its role, its content and what a template may need") {
  const Message full = message(R"({"role": "assistant", "content": "a", "name": "n", "reasoning_content": "r",
      "tool_calls": [{"id": "1", "function": {"name": "f"}}], "weight": 0, "other": {}})");
  CHECK(full.role == Role::assistant);
  CHECK(full.content == "a");
  CHECK(full.name == "n");
  CHECK(full.reasoning_content == "r");
  CHECK(full.tool_calls == R"([{"function":{"name":"f"},"id":"1"}])");
  CHECK_FALSE(full.learned);
  const Message tool = message(R"({"role": "tool", "content": "", "tool_call_id": "1"})");
  CHECK(tool.role == Role::tool);
  CHECK(tool.tool_call_id == "1");
  CHECK(tool.learned);
  CHECK(message(R"({"role": "assistant", "reasoning": "r"})").reasoning_content == "r");
}

TEST_CASE("roles have several names, and the content may be in parts") {
  const std::pair<const char*, Role> names[] = {
      {"system", Role::system},       {"developer", Role::system}, {"user", Role::user}, {"human", Role::user},
      {"assistant", Role::assistant}, {"gpt", Role::assistant},    {"tool", Role::tool}};
  for (const auto& [name, role] : names) {
    CAPTURE(name);
    CHECK(message(fmt::format(R"({{"role": "{}", "content": "c"}})", name)).role == role);
    CHECK(message(fmt::format(R"({{"from": "{}", "value": "c"}})", name)).content == "c");
  }
  CHECK(message(R"({"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]})")
            .content == "ab");
}

TEST_CASE("null is as missing, and only an assistant's content may be") {
  const Message calling = message(R"({"role": "assistant", "content": null, "tool_calls": [{}], "name": null})");
  CHECK(calling.content.empty());
  CHECK(calling.tool_calls == "[{}]");
  CHECK(message(R"({"role": "user", "content": "", "tool_calls": []})").tool_calls.empty());
  CHECK_THROWS_WITH_AS(message(R"({"role": "user", "content": null})"), "it: field content: missing", Error);
}

TEST_CASE("a message that cannot be read is named by its number") {
  const struct {
    const char* json;
    const char* error;
  } cases[] = {
      {"7", "field messages: is a number, expected a list of messages"},
      {"[]", "field messages: is an empty list, expected a list of messages"},
      {R"([{"role": "user", "content": "q"}, 7])", "field messages: message 2: is a number, expected a message"},
      {R"([{"role": "function", "content": "q"}])",
       R"(field messages: message 1: role "function", expected system, user (human), assistant (gpt) or tool)"},
      {R"([{"content": "q"}])", "field messages: message 1: field role: missing"},
      {R"([{"role": "user", "content": 5}])",
       "field messages: message 1: content is a number, expected a string or a list"},
      {R"([{"role": "user", "content": ["q"]}])",
       "field messages: message 1: a part of the content is a string, expected an object"},
      {R"([{"role": "user", "content": [{"type": "image_url"}]}])",
       R"(field messages: message 1: a part of the content is of type "image_url", expected text)"},
      {R"([{"role": "user", "content": "q", "weight": true}])",
       "field messages: message 1: field weight: is a boolean, expected 0 or 1"},
      {R"([{"role": "assistant", "tool_calls": "f"}])",
       "field messages: message 1: field tool_calls: is a string, expected a list"},
      {R"([{"role": "user", "content": "q", "tool_calls": [1]}])",
       "field messages: message 1: field tool_calls: is the user's, expected the assistant's"},
  };
  for (const auto& c : cases) CHECK_THROWS_WITH_AS(messages(c.json), c.error, Error);
}

}  // namespace tinyllm::test
