#include <tinyllm/runtime/documents/characters.h>
#include <tinyllm/runtime/documents/sentences.h>

#include <algorithm>
#include <iterator>
#include <string>

namespace tinyllm::documents {
namespace {

// Ends of sentences in scripts that write no blank after them.
bool ends_wide_sentence(char32_t c) {
  return c == U'。' || c == U'！' || c == U'？' || c == U'；' || c == U'…' || c == U'｡' || c == U'．' || c == U'।';
}

// These end a sentence where a blank follows: 3.14 and example.org go on.
bool ends_narrow_sentence(char32_t c) { return c == '.' || c == '!' || c == '?' || c == U'؟' || c == U'۔'; }

bool closes_quote(char32_t c) {
  return c == '"' || c == '\'' || c == ')' || c == ']' || c == U'”' || c == U'’' || c == U'」' || c == U'』' ||
         c == U'）' || c == U'】' || c == U'》' || c == U'»' || c == U'›';
}

bool is_blank(char32_t c) { return c == ' ' || c == '\t' || c == U'\u3000' || c == '\n'; }

// Whether the point at the end of a text belongs to its last word: an initial or an abbreviation.
bool ends_with_abbreviation(std::string_view text) {
  constexpr std::string_view kAbbreviations[] = {"dr",  "mr",  "mrs", "ms",  "prof", "st", "fig", "figs", "eq",
                                                 "vol", "ed",  "eds", "sec", "ch",   "pp", "vs",  "cf",   "etc",
                                                 "e.g", "i.e", "al",  "inc", "ltd",  "co", "jr",  "dept", "approx"};
  constexpr size_t kLongest = 8;  // Longer words are no abbreviations, whatever they are.
  text.remove_suffix(1);
  text.remove_prefix(text.size() - std::min(text.size(), kLongest));
  size_t begin = text.size();
  while (begin > 0 && (is_ascii_letter(static_cast<unsigned char>(text[begin - 1])) || text[begin - 1] == '.')) --begin;
  const std::string word = lower_case(text.substr(begin));
  if (word.size() == 1) return text[begin] < 'a' && text[begin] != 'I';  // "J. Smith", and not "so do I."
  return std::find(std::begin(kAbbreviations), std::end(kAbbreviations), word) != std::end(kAbbreviations);
}

}  // namespace

size_t sentence_cut(std::string_view text, int64_t most) {
  enum class State { within, after_narrow, after_wide };
  State state = State::within;
  size_t sentence = 0;
  size_t blank = 0;
  size_t at = 0;
  int64_t n = 0;
  for (; n < most && at < text.size(); ++n) {
    const size_t start = at;
    const char32_t c = next_character(text, at);
    const bool may_cut = 2 * n > most;
    if (state == State::after_wide && !closes_quote(c) && !ends_wide_sentence(c)) {
      if (may_cut) sentence = start;
      state = State::within;
    }
    if (state == State::after_narrow && is_blank(c) && may_cut) sentence = at;
    if (is_blank(c) && may_cut) blank = at;
    if (ends_wide_sentence(c)) {
      state = State::after_wide;
    } else if (ends_narrow_sentence(c)) {
      state = State::after_narrow;
    } else if (!closes_quote(c) && !(state == State::after_narrow && c == U'“')) {  // Which closes in German.
      state = State::within;
    }
  }
  if (at == text.size()) return at;
  if (state == State::after_wide) {
    size_t end = at;
    const char32_t next = next_character(text, end);
    if (!closes_quote(next) && !ends_wide_sentence(next)) return at;
  }
  return sentence > 0 ? sentence : blank > 0 ? blank : at;
}

size_t first_sentence(std::string_view text) {
  enum class State { within, after_narrow, after_wide };
  State state = State::within;
  bool is_point = false;  // The narrow end is a point.
  for (size_t at = 0; at < text.size();) {
    const size_t start = at;
    const char32_t c = next_character(text, at);
    if (ends_wide_sentence(c)) {
      state = State::after_wide;
    } else if (ends_narrow_sentence(c) && state != State::after_wide) {
      is_point = c == '.';
      if (is_point && ends_with_abbreviation(text.substr(0, at))) continue;
      state = State::after_narrow;
    } else if (closes_quote(c) || (state == State::after_narrow && c == U'“')) {
      continue;
    } else if (state == State::after_wide || (state == State::after_narrow && is_blank(c))) {
      size_t end = start;
      for (size_t next = end; next < text.size() && is_blank(next_character(text, next));) end = next;
      const bool goes_on = is_point && end < text.size() && text[end] >= 'a' && text[end] <= 'z';
      if (!goes_on) return end;
      state = State::within;
    } else {
      state = State::within;
    }
  }
  return text.size();
}

}  // namespace tinyllm::documents
