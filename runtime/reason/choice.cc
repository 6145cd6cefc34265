#include <tinyllm/runtime/reason/choice.h>
#include <tinyllm/runtime/reason/plain_text.h>

#include <algorithm>

namespace tinyllm {
namespace {
// A to J, and ① to ⑩.
bool is_option(char32_t c) { return (c >= 'A' && c <= 'J') || (c >= 0x2460 && c <= 0x2469); }

std::optional<std::string> sorted(std::u32string letters) {
  std::sort(letters.begin(), letters.end());
  if (std::adjacent_find(letters.begin(), letters.end()) != letters.end()) return {};
  return utf8(letters);
}

// (B) or B: a letter, perhaps in brackets; moves `at` behind it.
std::optional<char32_t> letter_at(std::u32string_view text, size_t& at, bool lower_too) {
  size_t next = at;
  const bool has_bracket = next < text.size() && (text[next] == '(' || text[next] == '[');
  next += has_bracket;
  if (next >= text.size()) return {};
  char32_t c = text[next];
  if (lower_too && c >= 'a' && c <= 'j') c -= 'a' - 'A';
  if (!is_option(c)) return {};
  ++next;
  if (has_bracket) {
    if (next >= text.size() || (text[next] != ')' && text[next] != ']')) return {};
    ++next;
  }
  at = next;
  return c;
}
}  // namespace

std::optional<std::string> choice_of(std::u32string_view text) {
  size_t at = 0;
  const std::optional<char32_t> first = letter_at(text, at, true);
  if (!first) return {};
  std::u32string letters(1, *first);
  if (at == text.size()) return utf8(letters);
  const bool is_lower = !is_option(text[0]) && text[0] != '(' && text[0] != '[';
  if (is_lower && text.substr(at) == U")") return utf8(letters);
  if (is_lower) return {};  // A lower letter with more is a word.
  // AC
  if (std::all_of(text.begin(), text.end(), is_option)) return sorted(std::u32string(text));
  // A, C
  const size_t behind_first = at;
  while (at < text.size()) {
    size_t next = at;
    const auto blanks = [&] {
      while (next < text.size() && text[next] == ' ') ++next;
    };
    blanks();
    for (const std::u32string_view word : {U",", U"、", U";", U"和", U"与", U"及", U"and", U"&", U"/"}) {
      if (!text.substr(next).starts_with(word)) continue;
      next += word.size();
      break;
    }
    blanks();
    const std::optional<char32_t> letter = next > at || text[at] == '(' ? letter_at(text, next, false) : std::nullopt;
    const bool is_word = letter && next < text.size() && is_letter(text[next]);
    if (!letter || is_word) break;
    letters += *letter;
    at = next;
  }
  if (at == text.size()) return sorted(std::move(letters));
  if (letters.size() > 1) return {};
  // A letter with its option.
  const std::u32string_view behind = text.substr(behind_first);
  const bool has_bracket = text[0] == '(' || text[0] == '[';
  constexpr std::u32string_view kSigns = U".、:),;";
  if (kSigns.find(behind[0]) != std::u32string_view::npos || (has_bracket && behind[0] == ' ')) return utf8(letters);
  if (behind.starts_with(U"选项") || behind.starts_with(U"项") || behind.starts_with(U"正确")) return utf8(letters);
  if (behind.size() > 1 && (behind[0] == ' ' || behind[0] == '(') && is_hanzi(behind[1])) return utf8(letters);
  return {};
}

}  // namespace tinyllm
