#include <doctest/doctest.h>

#include <tinyllm/runtime/search/sentences.h>

#include <string>

namespace tinyllm::search::test {

TEST_CASE("sentences are cut without the blanks around them, and none goes over a line") {
  const std::string text = "　他说：“好。”然后走了！\n  Pi is 3.14. Next \n\n最后";
  std::vector<std::string> found;
  for (const Span& span : sentences_of(text)) found.push_back(text.substr(span.begin, span.size()));
  CHECK(found == std::vector<std::string>{"他说：“好。”", "然后走了！", "Pi is 3.14.", "Next", "最后"});
  CHECK(sentences_of("").empty());
  CHECK(sentences_of(" \n　\t").empty());
}

}  // namespace tinyllm::search::test
