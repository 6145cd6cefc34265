#include <doctest/doctest.h>

#include <tinyllm/train/corpus/code_lines.h>

#include <string>
#include <vector>

namespace tinyllm::test {

using namespace corpus;
namespace {

// The numbers of the lines that are code, from 0.
std::vector<size_t> found_in(std::string_view text) {
  const std::vector<bool> lines = code_lines(text);
  std::vector<size_t> numbers;
  for (size_t i = 0; i < lines.size(); ++i) {
    if (lines[i]) numbers.push_back(i);
  }
  return numbers;
}

}  // namespace

TEST_CASE("indented lines of code are found, also among prose and without blank lines") {
  CHECK(found_in("def add(a, b):\n    total = a + b\n    return total\n") == std::vector<size_t>{1, 2});
  CHECK(found_in("Prose before it.\nint main() {\n\tputs(\"hi\");\n\n\treturn 0;\n}\nProse.\n") ==
        std::vector<size_t>{2, 4});
  CHECK(found_in("server:\n  port: 80\n  hosts:\n    - name: a\n") == std::vector<size_t>{1, 2, 3});
  CHECK(found_in("运行下面的程序：\n    for i in range(3):\n        print(i)\n") == std::vector<size_t>{1, 2});
  CHECK(found_in("if (a) {\r\n  b();\r\n}\r\n") == std::vector<size_t>{1});
}

TEST_CASE("indented prose is not code") {
  for (const char* text : {
           "    Once upon a time there was a kettle.\nIt sang.\n    And then it was quiet; (all slept).\n",
           "The tide goes out,\n   And takes the sand;\n   For who shall stay,\n   return to land?\n",
           "　　清晨，老人把茶叶放进壶里。\n　　后来雨停了。\n",
           "- one\n  - two\n  - three\n",
           "1 Tea ..... 3\n  1.1 Green ..... 4\n  1.2 Black ..... 9\n",
           "HAMLET:\n  To be, or not to be: that is the question.\n",
           "no indent\nat all();\n",
           "",
       }) {
    CAPTURE(text);
    CHECK(code_lines(text).empty());
  }
}

}  // namespace tinyllm::test
