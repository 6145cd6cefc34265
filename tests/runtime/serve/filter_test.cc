#include <doctest/doctest.h>

#include <tinyllm/model/text/regex/regex.h>
#include <tinyllm/runtime/serve/filter.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/base/utf8.h>

#include "error_of.h"

namespace tinyllm::test {
namespace {

// What passes of a text that arrives in pieces of `size` characters.
std::string passed(const Filter& filter, std::string_view text, size_t size, bool& matched) {
  FilterStream stream(&filter);
  std::string all;
  for (size_t at = 0; at < text.size();) {
    size_t end = at;
    for (size_t i = 0; i < size && end < text.size(); ++i) next_character(text, end);
    all += stream.add(text.substr(at, end - at), false);
    at = end;
  }
  all += stream.add("", true);
  CHECK(stream.passed() == all.size());
  matched = stream.has_matched();
  return all;
}

}  // namespace

TEST_CASE("a text ends before a match, across pieces of any size") {
  struct Case {
    const char* rules;
    const char* text;
    const char* passed;
    bool matches;
  };
  const Case cases[] = {
      {"bad", "a Bad thing", "a ", true},
      {"bad", "a ba d thing", "a ba d thing", false},
      {"# bad\n\nworse\r\n", "bad", "bad", false},
      {"# bad\n\nworse\r\n", "bad worse", "bad ", true},
      {"坏事", "做坏坏事。", "做坏", true},
      {"坏事", "做坏", "做坏", false},
      {"abcd\nbc", "xabce", "xa", true},
      {"abc\nbc", "xabc", "x", true},
      {"she\nhers\nhe", "ushers", "u", true},
      {"/[0-9]{3}-[0-9]{2}/", "call 1234-56", "call 1", true},
      {"/[0-9]{3}-[0-9]{2}/", "call 123-5", "call 123-5", false},
      {"/(?i)card +no/", "my CARD   NO", "my ", true},
      {"/a+b/", "aaab", "", true},
      {"/(a|b)*c|d/", "xabd", "xab", true},
      {"/a{2}/", "a a aa", "a a ", true},
      {"/身份证[0-9]+/", "我的身份证1", "我的", true},
  };
  for (const Case& c : cases) {
    CAPTURE(c.rules);
    CAPTURE(c.text);
    const Filter filter(c.rules);
    CHECK(filter.matches(c.text) == c.matches);
    for (const size_t size : {1, 2, 3, 100}) {
      bool matched = false;
      CHECK(passed(filter, c.text, size, matched) == c.passed);
      CHECK(matched == c.matches);
    }
  }
}

TEST_CASE("expressions match where the matcher that goes back finds them") {
  const char* patterns[] = {"a(b|c)*d",           "(ab|a)(bc|c)d", "a?b?c?d",
                            "(a|ab)(c|bcd)(d*)a", "[ab]{2,3}c",    "(a*b)+c{1,2}d"};
  for (const char* pattern : patterns) {
    CAPTURE(pattern);
    const Regex regex(pattern);
    const Filter filter(fmt::format("/{}/", pattern));
    Random random(7);
    for (int i = 0; i < 300; ++i) {
      std::string text;
      for (int64_t j = random.below(12); j >= 0; --j) text += static_cast<char>('a' + random.below(4));
      CAPTURE(text);
      Regex::Match match;
      CHECK(filter.matches(text) == Regex::Search(regex, text).next(match));
    }
  }
}

TEST_CASE("what may begin a match is held back, and nothing else") {
  const Filter filter("secret\n/[0-9]+x/");
  FilterStream stream(&filter);
  CHECK(stream.add("a se", false) == "a ");
  CHECK(stream.add("c", false) == "");
  CHECK(stream.add("t 12", false) == "sect ");
  CHECK(stream.add("3 ", false) == "123 ");
  // Digits without end: those that are too many for a match go.
  CHECK(stream.add(std::string(1000, '1'), false).size() >= 1000 - StreamPattern::kMaxMatch);
  CHECK(stream.add("x", false).size() <= StreamPattern::kMaxMatch);
  CHECK(stream.has_matched());
  CHECK(stream.add("more", true) == "");
}

TEST_CASE("an expression that would take for ever to go back takes linear time") {
  const Filter filter("/(a*)*(a|aa)+(a*a*)*b/");
  CHECK_FALSE(filter.matches(std::string(20000, 'a')));
  CHECK(filter.matches(std::string(200, 'a') + "b"));
}

TEST_CASE("a rule that cannot be is named by its line") {
  const auto wrong = [](const std::string& rules) { return error_of([&] { Filter(rules, "rules"); }); };
  CHECK(wrong("a\n/b(/").starts_with("rules: line 2: "));
  CHECK(wrong("/a*/") == "rules: line 1: pattern: matches the empty text, which is everywhere");
  CHECK(wrong("/a(?=b)/").find("looks around") != std::string::npos);
  CHECK(wrong("/\\bword/").find("looks around") != std::string::npos);
  CHECK(wrong("/(a{200}){200}/").find("more than") != std::string::npos);
  CHECK(wrong("\xFF").starts_with("rules: line 1"));
}

}  // namespace tinyllm::test
