#pragma once

#include <tinyllm/tensor/base/utf8.h>

namespace tinyllm::documents {

inline bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
inline bool is_ascii_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_ascii_alphanumeric(char32_t c) { return is_ascii_letter(c) || is_digit(c); }
/// ASCII letters in lower case; other characters are unchanged.
inline char lower_case(char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); }
inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = lower_case(c);
  return lower;
}
inline bool is_latin(char32_t c) { return is_ascii_letter(c) || (c >= 0xC0 && c <= 0x24F && c != 0xD7 && c != 0xF7); }
inline bool is_han(char32_t c) {
  return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x3FFFF) ||
         c == 0x3007 || c == 0x3005 || (c >= 0xF900 && c <= 0xFAFF);
}
inline bool is_kana(char32_t c) { return (c >= 0x3041 && c <= 0x30FA) || (c >= 0xFF66 && c <= 0xFF9D); }
inline bool is_hangul(char32_t c) { return (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x1100 && c <= 0x11FF); }
/// Letters of the scripts from Greek to those of India and beyond, which are neither Latin nor of East Asia.
inline bool is_other_letter(char32_t c) { return c >= 0x370 && c <= 0x1CFF && !is_hangul(c); }
/// The punctuation of ordinary prose.
inline bool is_prose_punctuation(char32_t c) {
  if (c < 0x80) return std::string_view(",.;:!?'\"()-").find(static_cast<char>(c)) != std::string_view::npos;
  return (c >= 0x2010 && c <= 0x2027) || (c >= 0x3001 && c <= 0x3003) || (c >= 0x3008 && c <= 0x3011) || c == 0xB7 ||
         c == 0x3014 || c == 0x3015 || c == 0xFF01 || c == 0xFF08 || c == 0xFF09 || c == 0xFF0C || c == 0xFF1A ||
         c == 0xFF1B || c == 0xFF1F || c == 0xFF5E;
}

}  // namespace tinyllm::documents
