#include <doctest/doctest.h>

#include <tinyllm/model/text/reasoning.h>

namespace tinyllm::test {

TEST_CASE("reasoning is written and taken apart again") {
  const std::string text = reasoning("先加。\n再乘。", "答案：84。");
  CHECK(text == "【推理过程】\n先加。\n再乘。\n【最终答案】\n答案：84。\n");
  CHECK(parse_reasoning(text).cot == "先加。\n再乘。");
  CHECK(parse_reasoning(text).final == "答案：84。");
  CHECK(parse_reasoning("just this\n").cot == "");
  CHECK(parse_reasoning("just this\n").final == "just this");
}

TEST_CASE("a prompt may begin a chain of thought") {
  const auto begun = [](const std::string& last) {
    return begun_thinking(std::vector<Piece>{{"<|im_start|>", true, false}, {last, false, false}});
  };
  CHECK(begun("assistant\n<think>\n") == "<think>\n");
  CHECK(begun("<think>") == "<think>\n");
  CHECK(begun("assistant\n").empty());
  CHECK(begun("assistant\n<think>\n\n</think>\n\n").empty());
  CHECK(begun_thinking({}).empty());
}

}  // namespace tinyllm::test
