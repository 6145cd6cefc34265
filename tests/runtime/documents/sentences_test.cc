#include <doctest/doctest.h>

#include <tinyllm/runtime/documents/sentences.h>

#include "runtime/documents/text_cases.h"

namespace tinyllm::test {

using namespace documents;

TEST_CASE("a text is cut after a sentence, else after a blank, else after a character") {
  const struct {
    std::string_view text;
    int64_t most;
    std::string_view first;
  } cases[] = {
      {"山高。水长。月明。", 7, "山高。水长。"},
      {"他说：“走吧。”她笑了。", 9, "他说：“走吧。”"},
      {"他说：“走吧。”她笑了。", 8, "他说：“走吧。”"},
      {"他说：“走吧。”她笑了。", 7, "他说：“走吧。"},  // No room for the quote.
      {"真的吗？！是的。", 5, "真的吗？！"},
      {"「行こう。」と言った。", 7, "「行こう。」"},
      {"One two. Three four. Five", 22, "One two. Three four. "},
      {"He said \"no.\" And went", 16, "He said \"no.\" "},
      {"Er sagte „Nein.“ Und ging", 18, "Er sagte „Nein.“ "},
      {"Pi is 3.14159 and e is 2.718", 20, "Pi is 3.14159 and e "},
      {"one two three", 8, "one two "},
      {"一二三四五六", 4, "一二三四"},
      {"A. bcdefghijkl", 10, "A. bcdefgh"},  // An end in the first half makes a part too short.
      {"short", 5, "short"},
      {"短文", 9, "短文"},
      {"", 3, ""},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(c.text.substr(0, sentence_cut(c.text, c.most)) == c.first);
  }
}

TEST_CASE("however a text is made, its parts are whole characters, not short, and all of it") {
  for (const char* part : {"。", ".", ". ", " ", "”", "。”", "字", "a", "é. ", "👩。"}) {
    CAPTURE(part);
    const std::string text = repeat(part, 1000);
    std::string joined;
    int parts = 0;
    for (std::string_view rest = text; !rest.empty(); ++parts) {
      const size_t cut = sentence_cut(rest, 64);
      REQUIRE(cut > 0);
      joined += rest.substr(0, cut);
      rest.remove_prefix(cut);
    }
    CHECK(joined == text);
    CHECK(parts <= 1000 * 3 / 32 + 1);
  }
}

}  // namespace tinyllm::test
