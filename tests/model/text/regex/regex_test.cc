#include <doctest/doctest.h>

#include <tinyllm/model/text/regex/char_set.h>
#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/tensor/base/error.h>

#include "model/text/cases.h"

#include <map>

namespace tinyllm::test {
namespace {

// The patterns of the reference set, by its names.
const std::map<std::string, std::string> kPatterns = {
    {"gpt2", R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"},
    {"llama3",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen2",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"qwen35",
     R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
    {"gpt4o",
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
     R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
     R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)"},
};

// The matches of a text and what lies between them.
std::vector<std::string> pieces(const Regex& regex, const std::string& text) {
  std::vector<std::string> found;
  size_t last = 0;
  Regex::Search search(regex, text);
  const auto add = [&](size_t end) {
    if (end > last) found.push_back(text.substr(last, end - last));
    last = end;
  };
  for (Regex::Match match; search.next(match);) {
    add(match.begin);
    add(match.end);
  }
  add(text.size());
  return found;
}

}  // namespace

TEST_CASE("patterns of known models split texts as Oniguruma does") {
  std::map<std::string, Regex> regexes;
  for (const auto& [name, pattern] : kPatterns) regexes.emplace(name, Regex(pattern));
  for (const Json& json : json_lines(tokenizer_data("pretokenize.jsonl"))) {
    INFO(json.dump());
    CHECK(pieces(regexes.at(json["regex"]), json["text"]) == json["pieces"].get<std::vector<std::string>>());
  }
}

TEST_CASE("classes of characters are those of Unicode 16") {
  const Json ranges = load_json_object(tokenizer_data("unicode_classes.json"))["ranges"];
  for (const auto& [name, list] : ranges.items()) {
    icu::UnicodeSet expected;
    for (const Json& range : list) expected.add(range[0].get<int>(), range[1].get<int>());
    INFO(name);
    CHECK((name == "s" ? blanks() : characters_with(name)) == expected);
  }
}

// Expected: what Oniguruma 6.9 gives for Ruby's syntax in `tokenizers` 0.22.2.
TEST_CASE("other patterns split texts as Oniguruma does") {
  using Pieces = std::vector<std::string>;
  const struct {
    std::string pattern;
    std::string text;
    Pieces expected;
  } cases[] = {
      {R"(\p{N}{1,3}+)", "1234567", {"1234567"}},  // A repeat of a repeat: an interval is never possessive.
      {R"(\p{N}{2}?)", "1234567", {"12", "34", "56", "7"}},
      {R"(\p{N}{,2})", "1234567a", {"12", "34", "56", "7", "a"}},
      {"a.b", "a\nb acb", {"a\nb ", "acb"}},
      {"(?m)a.b", "a\nb acb", {"a\nb", " ", "acb"}},
      {R"(\w+$)", "ab\ncd\n", {"ab", "\n", "cd", "\n"}},
      {R"(^\w)", "ab\ncd\n", {"a", "b\n", "c", "d\n"}},
      {R"(\w+\Z)", "ab\ncd\n", {"ab\n", "cd", "\n"}},
      {"x*", "axxb", {"a", "xx", "b"}},
      {"", "ba", {"b", "a"}},
      {"$", "ba\nc", {"ba", "\nc"}},
      {R"((?!\S))", "ba c", {"ba", " c"}},
      {"a(?i)b|c", "aB C ac aC", {"aB", " C ", "ac", " ", "aC"}},
      {"[a-c&&b-d]+", "abcd", {"a", "bc", "d"}},
      {"[a[bc]]+", "abcd", {"abc", "d"}},
      {"[]a]+", "]ab", {"]a", "b"}},
      {R"([^\]a-]+)", "]a-b", {"]a-", "b"}},
      {"[[:alpha:]]+", "ab1é", {"ab", "1", "é"}},
      {R"(\h+)", "abxyz \t", {"ab", "xyz \t"}},
      {"(?<=a)b", "abcb", {"a", "b", "cb"}},
      {"(?<=a|bc)d", "adbcd d", {"a", "d", "bc", "d", " d"}},
      {"(?<!a)b", "abcb", {"abc", "b"}},
      {R"(\p{Han}+|\p{^L})", "中文a1", {"中文", "a", "1"}},
      {R"([\p{L}&&[^\p{Han}]]+)", "中文ab1", {"中文", "ab", "1"}},
      {R"(\x41|\x{4e2d}|\t)", "A中\t", {"A", "中", "\t"}},
      {"(?>a|ab)c", "abc ac", {"abc ", "ac"}},
      {"a++b|a", "aaab aa", {"aaab", " ", "a", "a"}},
      {"(?:ab|a)(?:c|bcd)(?:d*)", "abcd", {"abcd"}},
      {R"(\bfoo\b)", "foo foobar foo", {"foo", " foobar ", "foo"}},
      {"(?-i:a)(?i-m:b)", "aB", {"aB"}},
      {R"(\p{Lu}\p{Ll}*|\p{L})", "aAbCd", {"a", "Ab", "Cd"}},
      {"a{x}", "a{x}a", {"a{x}", "a"}},
      {"(?i:'s)", "it'ſ", {"it", "'ſ"}},  // U+017F is s in another case.
      {"(a|ab)*?c", "aabc", {"aabc"}},
      {"(a*)*b", "aab", {"aab"}},
  };
  for (const auto& [pattern, text, expected] : cases) {
    INFO(pattern);
    CHECK(pieces(Regex(pattern), text) == expected);
  }
}

TEST_CASE("a pattern that is wrong or not supported is refused, with the place") {
  const std::pair<std::string, std::string> cases[] = {
      {"a(b", "byte 3: a group is not closed"},
      {"a)", "byte 1: a group is closed that was not opened"},
      {"*a", "byte 0: nothing to repeat"},
      {"[a", "byte 2: ends too early"},
      {"[b-a]", "byte 4: a range that ends before it begins"},
      {R"([a-\d])", "byte 5: a class at the end of a range"},
      {R"((a)\1)", "byte 5: an escape that is not supported"},
      {"(?x)a", "byte 2: a group that is not supported"},
      {"a{2,1}", "byte 6: an interval that ends before it begins"},
      {"a{1001}", "byte 6: a repeat of more than 1000 times"},
      {std::string(30, '('), "byte 25: nested too deeply"},
  };
  for (const auto& [pattern, error] : cases) {
    INFO(pattern);
    CHECK_THROWS_WITH_AS(Regex{pattern}, fmt::format("pattern {}: {}", shortened(pattern), error).c_str(), Error);
  }
  CHECK_THROWS_WITH_AS(Regex{R"(\p{Klingon})"}, R"(pattern: \p{Klingon} is not a property of characters)", Error);
  CHECK_THROWS_WITH_AS(Regex{"(?<=a*)b"}, "pattern: looks behind at a part of no fixed length", Error);
  CHECK_THROWS_WITH_AS(Regex{"((((a{999}){999}){999}){999})"}, "pattern: is too large", Error);
}

TEST_CASE("the steps of known patterns are linear in the text, also where nothing of it can be split") {
  for (const auto& [name, pattern] : kPatterns) {
    const Regex regex(pattern);
    for (const std::string unit : {"a", "A", "1", " ", "\n", "\r", "!", "中", "é", "\u0300", " \n", "\n ", "'", "Aa"}) {
      std::string text;
      for (int i = 0; i < 100000; ++i) text += unit;
      Regex::Search search(regex, text);
      for (Regex::Match match; search.next(match);) {
      }
      INFO(name, " ", unit);
      CHECK(search.steps() < 8 * text.size());
    }
  }
}

TEST_CASE("a pattern that goes back without end is stopped") {
  const std::string text = std::string(1000, 'a') + "c";
  for (const std::string pattern : {"(a*)*b", "(a|aa)+b", "(?:a+)+b"}) {
    const Regex regex(pattern);
    Regex::Search search(regex, text);
    Regex::Match match;
    INFO(pattern);
    CHECK_THROWS_AS(search.next(match), Error);
  }
}

}  // namespace tinyllm::test
