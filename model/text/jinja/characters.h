// Python's classes of characters.
#pragma once

#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm::jinja {

/// str.isspace
inline bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// Whether str.splitlines ends a line at this character.
inline bool ends_line(char32_t c) {
  return (c >= 0x0A && c <= 0x0D) || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/// Whether repr() escapes the character: controls, format characters, separators other than the blank, and characters
/// for private use. Python also escapes characters that Unicode has not assigned; this function does not.
inline bool is_escaped(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0xA0) || c == 0xAD || (c > 0x7F && is_space(c)) ||
         (c >= 0x0600 && c <= 0x0605) || c == 0x061C || c == 0x06DD || c == 0x070F || c == 0x180E ||
         (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
         (c >= 0xE000 && c <= 0xF8FF) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0001 && c <= 0xE007F) || c >= 0xF0000;
}

inline bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline char ascii_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
inline char ascii_upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

/// The position of the first character from `at` on that is not a blank; the text's size if there is none. The text
/// must be UTF-8.
inline size_t skip_spaces(std::string_view text, size_t at = 0) {
  while (at < text.size()) {
    size_t next = at;
    if (!is_space(next_character(text, next))) break;
    at = next;
  }
  return at;
}

/// The first byte of the character before position `at`.
inline size_t previous_character(std::string_view text, size_t at) {
  do --at;
  while (at > 0 && continues_character(text[at]));
  return at;
}

}  // namespace tinyllm::jinja
