// What of a rendered conversation is learned.
#include <doctest/doctest.h>

#include "model/text/jinja/render.h"
#include "test_data.h"

namespace tinyllm::test {
namespace {

std::string learned(const std::string& source, const JinjaInput& input) {
  return marked(JinjaTemplate(source).render(input, true), [](const JinjaRun& run) { return run.learned; });
}

std::string published(const std::string& name) { return read_file(test_data("chat/" + name + ".jinja")); }

JinjaInput two_turns() {
  JinjaInput input;
  input.eos_token = "</s>";
  input.messages = {{{"role", "user"}, {"content", "q"}},
                    {{"role", "assistant"}, {"content", "one"}},
                    {{"role", "user"}, {"content", "r"}},
                    {{"role", "assistant"}, {"content", "two"}}};
  return input;
}

constexpr const char* kChatml =
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

}  // namespace

TEST_CASE("jinja: answers are learned with their end tokens, and nothing else is") {
  CHECK(learned(kChatml, two_turns()) ==
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦one<|im_end|>⟧\n"
        "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\n⟦two<|im_end|>⟧\n");
  CHECK(learned(published("zephyr_tinyllama"), two_turns()) ==
        "<|user|>\nq</s>\n<|assistant|>\n⟦one</s>⟧\n<|user|>\nr</s>\n<|assistant|>\n⟦two</s>⟧\n");
}

TEST_CASE("jinja: without find_learned, nothing is learned") {
  for (const JinjaRun& run : JinjaTemplate(kChatml).render(two_turns())) CHECK_FALSE(run.learned);
}

TEST_CASE("jinja: what a template adds to an answer is learned") {
  JinjaInput input = two_turns();
  CHECK(learned(published("qwen3"), input) ==
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦one<|im_end|>⟧\n"
        "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\n⟦<think>\n\n</think>\n\ntwo<|im_end|>⟧\n");
  // Without thinking, the prompt has the empty block.
  input.enable_thinking = false;
  CHECK(learned(published("qwen3"), input) ==
        "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦one<|im_end|>⟧\n"
        "<|im_start|>user\nr<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n⟦two<|im_end|>⟧\n");
  input.enable_thinking.reset();
  input.messages[3]["reasoning_content"] = "why";
  CHECK(learned(published("qwen3"), input).ends_with("assistant\n⟦<think>\nwhy\n</think>\n\ntwo<|im_end|>⟧\n"));
}

TEST_CASE("jinja: a call of a tool is learned from its first marker on, and the tool's answer is not") {
  JinjaInput input = two_turns();
  const OrderedJson call = {{"id", "123456789"}, {"function", {{"name", "f"}, {"arguments", {{"a", 1}}}}}};
  input.messages[1] = {{"role", "assistant"}, {"content", ""}, {"tool_calls", {call}}};
  input.messages[2] = {{"role", "tool"}, {"content", "5"}, {"tool_call_id", "123456789"}};
  const std::string qwen =
      "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n⟦<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": "
      "1}}\n"
      "</tool_call><|im_end|>⟧\n<|im_start|>user\n<tool_response>\n5\n</tool_response><|im_end|>\n"
      "<|im_start|>assistant\n";
  CHECK(learned(published("qwen3"), input) == qwen + "⟦<think>\n\n</think>\n\ntwo<|im_end|>⟧\n");
  CHECK(learned(published("mistral_nemo"), input) ==
        "[INST]q[/INST]⟦[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \"123456789\"}]</s>⟧"
        "[TOOL_RESULTS]{\"content\": 5, \"call_id\": \"123456789\"}[/TOOL_RESULTS]⟦two</s>⟧");
  // The prompt goes on with <think> here, which has its first two letters in common with <tool_call>.
  input.enable_thinking = false;
  CHECK(learned(published("qwen3"), input).starts_with(qwen));
}

TEST_CASE("jinja: an answer is found where the template refuses its beginning, or where it begins") {
  const std::string strict = "{% if messages|length < 4 %}{{ raise_exception('short') }}{% endif %}";
  CHECK(learned(strict + "{% for m in messages %}[{{ m.content }}</s>]{% endfor %}", two_turns()) ==
        "[q</s>][⟦one</s>⟧][r</s>][⟦two</s>⟧]");
  JinjaInput input = two_turns();
  input.messages.erase(0);
  const std::string greeting = "{% if messages %}<|im_start|>system\nHi<|im_end|>\n{% endif %}";
  CHECK(
      learned(greeting + kChatml, input)
          .starts_with("<|im_start|>system\nHi<|im_end|>\n<|im_start|>assistant\n⟦one<|im_end|>⟧\n<|im_start|>user\n"));
}

TEST_CASE("jinja: generation blocks say what is learned, and where its characters come from") {
  const std::string source =
      "{% for m in messages %}<{{ m.role }}>{% if m.role == 'assistant' %}{% generation %}{{ m.content }}</s>"
      "{% endgeneration %}{% else %}{{ m.content }}{% endif %}{% endfor %}";
  CHECK(learned(source, two_turns()) == "<user>q<assistant>⟦one</s>⟧<user>r<assistant>⟦two</s>⟧");
  const auto runs = JinjaTemplate(source).render(two_turns(), true);
  REQUIRE(runs.size() == 10);
  CHECK(runs[3].text == "one");
  CHECK(runs[3].from_message);
  CHECK(runs[4].text == "</s>");
  CHECK_FALSE(runs[4].from_message);
  CHECK(runs[4].message == 1);
  CHECK(runs[9].message == 3);
}

}  // namespace tinyllm::test
