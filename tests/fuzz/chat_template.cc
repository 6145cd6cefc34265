// Chat templates in Jinja: the template comes from a stranger, the conversation is always the same.
#include <tinyllm/model/text/jinja_template.h>

#include "fuzz/fuzz.h"

namespace {

tinyllm::JinjaInput conversation() {
  tinyllm::JinjaInput input;
  input.messages = nlohmann::ordered_json::parse(R"([
    {"role": "system", "content": " Be <|brief|>\n"},
    {"role": "user", "content": "Ünï 世界 👍"},
    {"role": "assistant", "content": "<think>\nwhy\n</think>\n\none", "tool_calls": [
      {"id": "123456789", "function": {"name": "f", "arguments": {"a": 1, "b": [2.5, null, true, "x"]}}}]},
    {"role": "tool", "content": "{}", "tool_call_id": "123456789"},
    {"role": "assistant", "content": "two"}])");
  input.tools = nlohmann::ordered_json::parse(R"([{"type": "function", "function": {"name": "f"}}])");
  input.bos_token = "<s>";
  input.eos_token = "</s>";
  input.add_generation_prompt = true;
  input.now = std::tm{};
  return input;
}

}  // namespace

void tinyllm::test::fuzz(std::string_view bytes) {
  static const JinjaInput input = conversation();
  may_refuse([&] {
    const JinjaTemplate chat_template(bytes);
    const auto text_of = [&](bool find_learned) {
      std::string text;
      for (const JinjaRun& run : chat_template.render(input, find_learned)) {
        require(!run.text.empty());
        text += run.text;
      }
      return text;
    };
    const std::string text = text_of(false);
    require(text_of(true) == text);
  });
}
