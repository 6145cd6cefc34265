#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/answer_text.h>

namespace tinyllm::test {
namespace {

struct Case {
  const char* what;
  const char* text;
  std::vector<std::string> stop;
  const char* reasoning;
  const char* answer;
  const char* begun = "";
};

const Case kCases[] = {
    {"no reasoning", "7\n", {}, "", "7\n"},
    {"our titles", "【推理过程】\n1+2=3\n\n【最终答案】\n3\n", {}, "1+2=3", "3"},
    {"think", "<think>\n1+2=3\n</think>\n\n3\n4\n", {}, "1+2=3", "3\n4"},
    {"think, begun by the prompt", "1+2=3\n</think>\n\n3", {}, "1+2=3", "3", "<think>\n"},
    {"begun reasoning goes on", "=3\n【最终答案】\n3", {}, "=3", "3", "【推理过程】\n1+2"},
    {"a begun answer goes on", "b\nc", {}, "", "b\nc", "<think>\nx\n</think>\n\na"},
    {"no end of the reasoning", "【推理过程】\n1+2\n", {}, "1+2", ""},
    {"a title that is cut", "【推理过", {}, "", "【推理过"},
    {"an end that is cut", "<think>a</thi", {}, "a</thi", ""},
    {"a title that comes late", "a【推理过程】\nb", {}, "", "a【推理过程】\nb"},
    {"line feeds within", "<think>\na\n\nb\n</think>\nc\n\nd\n", {}, "a\n\nb", "c\n\nd"},
    {"a stop string", "ab\ncd", {"\nc"}, "", "ab"},
    {"the first of two", "abcdef", {"de", "cd"}, "", "ab"},
    {"a stop string that only begins", "ab\n", {"\nc"}, "", "ab\n"},
    {"a stop string in the reasoning alone", "<think>a;b</think>c", {";"}, "a;b", "c"},
    {"a stop string in both", "<think>a;b</think>c;d", {";"}, "a;b", "c"},
    {"a stop string after line feeds", "<think>a</think>\nc\n\nX", {"X"}, "a", "c"},
    {"empty reasoning", "<think>\n\n</think>\n\nc", {}, "", "c"},
};

}  // namespace

TEST_CASE("reasoning and answer are the same however the text is cut, and every byte of them has its place") {
  for (const Case& c : kCases) {
    CAPTURE(c.what);
    const std::string text = c.text;
    for (size_t first = 0; first <= text.size(); ++first) {
      for (const size_t second : {first, std::min(first + 1, text.size()), text.size()}) {
        CAPTURE(first);
        AnswerText parts(c.stop, true, c.begun);
        const std::string begun = c.begun;
        std::string reasoning, answer;
        const auto add = [&](std::string_view piece, bool is_last) {
          const AnswerText::Piece more = parts.add(piece, is_last);
          reasoning += more.reasoning;
          answer += more.answer;
          CHECK(parts.decided() <= begun.size() + text.size());
        };
        add(std::string_view(text).substr(0, first), false);
        add(std::string_view(text).substr(first, second - first), false);
        add(std::string_view(text).substr(second), false);
        add("", true);
        CHECK(reasoning == c.reasoning);
        CHECK(answer == c.answer);
        // Of the whole text, without what was begun.
        const auto at = [&](const AnswerText::Span& span) {
          const size_t from = std::max(span.begin, begun.size()), to = std::max(span.end, from);
          return (begun + text).substr(from, to - from);
        };
        CHECK(at(parts.reasoning()) == c.reasoning);
        CHECK(at(parts.answer()) == c.answer);
        CHECK((parts.stopped_by() != nullptr) == (!c.stop.empty() && text.find(c.stop.back()) != std::string::npos &&
                                                  std::string(c.what) != "a stop string in the reasoning alone"));
      }
    }
  }
}

TEST_CASE("a text that cannot become a title or a stop string is given out at once") {
  AnswerText parts({"END"}, true);
  CHECK(parts.add("【", false).answer == "");
  CHECK(parts.add("a", false).answer == "【a");
  CHECK(parts.add("bE", false).answer == "b");
  CHECK(parts.add("N", false).answer == "");
  CHECK(parts.add("c", false).answer == "ENc");
  AnswerText plain({}, false);
  CHECK(plain.add("<think>", false).answer == "<think>");
}

TEST_CASE("stop strings mean nothing from a text on, however it arrives") {
  const struct {
    const char* what;
    const char* text;
    std::vector<std::string> stop;
    const char* answer;
  } cases[] = {
      {"before it", "a;b<call>;", {";"}, "a"},
      {"after it", "ab<call>c;d\n", {";", "\n"}, "ab<call>c;d\n"},
      {"within it", "ab<call>c", {"<", "al", "l>c"}, "ab<call>c"},
      {"one that it would go on with", "a<call>b", {"a<call>", "<c"}, "a<call>b"},
      {"what only begins like it", "a<calm;", {";"}, "a<calm"},
      {"a stop string in that", "a<cal;", {"<c"}, "a"},
  };
  for (const auto& [what, text, stop, answer] : cases) {
    CAPTURE(what);
    const std::string_view all = text;
    for (size_t piece = 1; piece <= all.size(); ++piece) {
      AnswerText parts(stop, false, "", "<call>");
      std::string said;
      for (size_t at = 0; at < all.size() && parts.stopped_by() == nullptr; at += piece) {
        said += parts.add(all.substr(at, piece), at + piece >= all.size()).answer;
      }
      CHECK(said == answer);
    }
  }
}

}  // namespace tinyllm::test
