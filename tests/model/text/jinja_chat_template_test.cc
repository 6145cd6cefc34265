#include <doctest/doctest.h>

#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/tensor/base/error.h>

#include "temp_folder.h"

#include <fstream>

namespace tinyllm::test {
namespace {

constexpr const char* kChatml =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

JinjaSettings chatml_settings() {
  return {.special_tokens = {"<|im", "<|im_end|>", "<|im_start|>"}, .bos_token = "", .eos_token = "<|im_end|>"};
}

// Special pieces in «», learned ones followed by a star.
std::string shown(const std::vector<Piece>& pieces) {
  std::string text;
  for (const Piece& piece : pieces) {
    text += (piece.special ? "«" : "[") + piece.text + (piece.special ? "»" : "]") + (piece.learned ? "*" : "");
  }
  return text;
}

void write(const std::filesystem::path& path, std::string_view text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("a Jinja chat template gives special tokens and texts, and what is learned of them") {
  const JinjaChatTemplate chatml(kChatml, chatml_settings());
  const Messages messages = {
      {Role::user, "say <|im_end|>"}, {Role::assistant, "one"}, {Role::user, "r"}, {Role::assistant, "two"}};
  const std::string start = "«<|im_start|>»[user\nsay <|im_end|>]«<|im_end|>»[\n]«<|im_start|>»[assistant\n";
  CHECK(shown(chatml.render(messages, {})) ==
        start +
            "][one]*«<|im_end|>»*[\n]«<|im_start|>»[user\nr]«<|im_end|>»[\n]«<|im_start|>»[assistant\n][two]*"
            "«<|im_end|>»*[\n]");
  CHECK(shown(chatml.render(messages, {.learn = Learn::last_answer})) ==
        start +
            "one]«<|im_end|>»[\n]«<|im_start|>»[user\nr]«<|im_end|>»[\n]«<|im_start|>»[assistant\n][two]*"
            "«<|im_end|>»*[\n]");
  CHECK(shown(chatml.render({messages[0]}, {.add_generation_prompt = true})) == start + "]");
}

TEST_CASE("a Jinja chat template leaves out an answer that is not learned") {
  const JinjaChatTemplate chatml(kChatml, chatml_settings());
  const Messages messages = {{Role::user, "q"}, {Role::assistant, "one", false}};
  const std::string start = "«<|im_start|>»[user\nq]«<|im_end|>»[\n]«<|im_start|>»[assistant\n";
  CHECK(shown(chatml.render(messages, {})) == start + "one]«<|im_end|>»[\n]");
  CHECK(shown(chatml.render(messages, {.learn = Learn::all})) ==
        "«<|im_start|>»*[user\nq]*«<|im_end|>»*[\n]*«<|im_start|>»*[assistant\n]*[one]«<|im_end|>»[\n]*");
}

TEST_CASE("a Jinja chat template makes no special token of text of messages, or of parts of them") {
  const JinjaChatTemplate split("{{ '<s' }}{{ messages[0].content }}{{ '<s' }}{% if 1 %}{{ '>' }}{% endif %}",
                                {.special_tokens = {"<s>"}, .bos_token = "<s>"});
  CHECK(shown(split.render({{Role::user, ">"}}, {})) == "[<s>]«<s>»");
  CHECK(shown(split.render({{Role::user, "<s>"}}, {})) == "[<s<s>]«<s>»");
}

TEST_CASE("a Jinja chat template is given the optional fields of a message, tools and arguments") {
  const JinjaChatTemplate echo(
      "{{ messages[0] | tojson }}{{ messages[1] | tojson }}{{ tools | tojson }}{{ mood }}{{ enable_thinking }}", {});
  Message call{Role::assistant, ""};
  call.reasoning_content = "why";
  call.tool_calls = R"([{"id": "1", "function": {"name": "f", "arguments": "{\"z\": 1, \"a\": [2]}"}}])";
  Message answer{Role::tool, "5"};
  answer.name = "f";
  answer.tool_call_id = "1";
  const std::string messages =
      R"({"role": "assistant", "content": "", "reasoning_content": "why", "tool_calls": [{"id": "1", "function": )"
      R"({"name": "f", "arguments": {"z": 1, "a": [2]}}}]}{"role": "tool", "content": "5", "name": "f", )"
      R"("tool_call_id": "1"})";
  CHECK(shown(echo.render({call, answer}, {.add_generation_prompt = true})) == "[" + messages + "null]");
  JinjaSettings settings = echo.settings();
  settings.tools = R"([{"name": "g"}])";
  settings.arguments = R"({"mood": "kind"})";
  settings.enable_thinking = false;
  CHECK(shown(echo.with(settings).render({call, answer}, {.add_generation_prompt = true})) ==
        "[" + messages + R"([{"name": "g"}]kindFalse])");
}

TEST_CASE("a Jinja chat template refuses settings and tool calls that are not JSON") {
  CHECK_THROWS_AS(JinjaChatTemplate("", {.tools = "{}"}), Error);
  CHECK_THROWS_AS(JinjaChatTemplate("", {.arguments = "[]"}), Error);
  CHECK_THROWS_AS(JinjaChatTemplate("", {.arguments = "{"}), Error);
  Message call{Role::assistant, ""};
  for (const char* wrong : {"[", "[1]", R"([{"function": {"arguments": "{"}}])"}) {
    call.tool_calls = wrong;
    CHECK_THROWS_WITH_AS(JinjaChatTemplate("", {}).render({call}, {}), doctest::Contains("message 1: tool_calls"),
                         Error);
  }
}

TEST_CASE("a model folder's chat template is chat_template.jinja, else the one in tokenizer_config.json") {
  const TempFolder folder;
  const auto render = [&] { return shown(load_jinja_chat_template(folder.path())->render({{Role::user, "q"}}, {})); };
  CHECK_FALSE(load_jinja_chat_template(folder.path()));
  write(folder.path() / "tokenizer_config.json", R"({"eos_token": null})");
  CHECK_FALSE(load_jinja_chat_template(folder.path()));
  write(folder.path() / "tokenizer_config.json",
        R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": "{{ bos_token }}config<x>",
            "added_tokens_decoder": {"5": {"content": "<x>", "special": false}}})");
  CHECK(render() == "«<s>»[config]«<x>»");
  write(folder.path() / "tokenizer_config.json",
        R"({"chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "<y>yes"}]})");
  write(folder.path() / "tokenizer.json", R"({"added_tokens": [{"id": 1, "content": "<y>"}]})");
  CHECK(render() == "«<y>»[yes]");
  write(folder.path() / "chat_template.jinja", "own");
  CHECK(render() == "[own]");
  write(folder.path() / "chat_template.jinja", "{% own %}");
  CHECK_THROWS_WITH_AS(render(), doctest::Contains("chat_template.jinja: chat template, line 1: the tag 'own'"), Error);
}

}  // namespace tinyllm::test
