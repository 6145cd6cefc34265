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

}  // namespace tinyllm::test
