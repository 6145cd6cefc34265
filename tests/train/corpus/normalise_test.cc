#include <doctest/doctest.h>

#include <tinyllm/train/corpus/normalise.h>

namespace tinyllm::test {

using namespace corpus;
namespace {

std::string normalised(std::string_view line, Width width = Width::fold) {
  std::string out = "before ";
  NormaliseCounts counts;
  normalise(line, width, out, counts);
  return out.substr(7);
}

}  // namespace

TEST_CASE("a line is written in one way") {
  struct Case {
    std::string what;
    std::string line;
    std::string expected;
  };
  using namespace std::string_literals;
  const Case cases[] = {
      {"prose stays", "春天来了，花儿开了。Spring is here!", "春天来了，花儿开了。Spring is here!"},
      {"blanks at the ends and in runs", " \t one  two\u3000\u3000three \u00A0", "one two three"},
      {"tabs between cells", "one \t two\t\tthree\t", "one\ttwo\tthree"},
      {"only blanks", " \u3000\t", ""},
      {"control characters",
       "a\0b\x07"
       "c\x7F"s,
       "abc"},
      {"terminal escapes go whole", "\x1B[1;31mred\x1B[0m and", "red and"},
      {"an escape at the end", "red\x1B[3", "red"},
      {"zero width, soft hyphens, direction marks", "hy\u00ADphen\u200B\u200E\uFEFF", "hyphen"},
      {"joiners stay in emoji alone", "👩\u200D🍳 no\u200Done", "👩\u200D🍳 noone"},
      {"private use and no characters", "\uE000好\U000F0001\uFFFF", "好"},
      {"what was not decoded", "半\uFFFD个", "半个"},
      {"entities", "&lt;b&gt; &amp;&#65292;&#x4E2D;&nbsp;x &nonsense; &#0; &", "<b> &，中 x &nonsense; &#0; &"},
      {"entities of all names that HTML has", "caf&eacute; &copy; &alpha;", "café © α"},
      {"an entity for what has no place", "a&#8203;b", "ab"},
      {"repeated marks", "真的吗？？？？？好！！！！，，，，", "真的吗？好！，"},
      {"three of a mark stay", "真的吗？？？", "真的吗？？？"},
      {"a long run", "哈哈哈哈哈哈哈哈哈哈 ----------", "哈哈哈 ---"},
      {"digits stay", "100000000000", "100000000000"},
      {"width", "ＡＢｃ１２，（好）", "ABc12，（好）"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.what);
    CHECK(normalised(c.line) == c.expected);
    CHECK(normalised(c.expected) == c.expected);
  }
}

TEST_CASE("width is folded as the option says") {
  CHECK(normalised("Ａ１，ﬁ①", Width::keep) == "Ａ１，ﬁ①");
  CHECK(normalised("Ａ１，ﬁ①", Width::fold) == "A1，ﬁ①");
  CHECK(normalised("Ａ１，ﬁ①", Width::nfkc) == "A1,fi1");
}

TEST_CASE("U+FFFD is counted, and kept if asked for") {
  for (const bool keeps : {false, true}) {
    std::string out;
    NormaliseCounts counts;
    normalise("half \uFFFD pair", Width::fold, out, counts, keeps);
    CHECK(out == (keeps ? "half \uFFFD pair" : "half pair"));
    CHECK(counts.undecodable == 1);
  }
}

TEST_CASE("what was changed is counted") {
  std::string out;
  NormaliseCounts counts;
  normalise("\x01Ａ\u200B\uE000\uFFFD&amp;！！！！！", Width::fold, out, counts);
  CHECK(counts.controls == 1);
  CHECK(counts.folded == 1);
  CHECK(counts.invisible == 1);
  CHECK(counts.private_use == 1);
  CHECK(counts.undecodable == 1);
  CHECK(counts.entities == 1);
  CHECK(counts.repeated == 4);
}

}  // namespace tinyllm::test
