#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tinyllm {

/// Whether a byte of UTF-8 is not the first of its character.
inline bool continues_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

/// Where to cut a text so that at most `bytes` bytes are before the cut: at the beginning of a character, or at the end
/// of the text. Goes back by at most three bytes, also in a text that is not UTF-8.
inline size_t character_cut(std::string_view text, size_t bytes) {
  if (bytes >= text.size()) return text.size();
  for (int i = 0; i < 3 && bytes > 0 && continues_character(text[bytes]); ++i) --bytes;
  return bytes;
}

/// The character at `at` of a text that is UTF-8; moves `at` to the next one.
inline char32_t next_character(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t first = byte(at);
  if (first < 0x80) {
    at += 1;
    return first;
  }
  if (first < 0xE0) {
    const char32_t c = (first & 0x1F) << 6 | (byte(at + 1) & 0x3F);
    at += 2;
    return c;
  }
  if (first < 0xF0) {
    const char32_t c = (first & 0x0F) << 12 | (byte(at + 1) & 0x3F) << 6 | (byte(at + 2) & 0x3F);
    at += 3;
    return c;
  }
  const char32_t c =
      (first & 0x07) << 18 | (byte(at + 1) & 0x3F) << 12 | (byte(at + 2) & 0x3F) << 6 | (byte(at + 3) & 0x3F);
  at += 4;
  return c;
}

/// Appends a character as UTF-8.
inline void append_character(std::string& text, char32_t c) {
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | c >> 6);
    add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    add(0x80 | (c >> 6 & 0x3F));
    add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | c >> 18);
    add(0x80 | (c >> 12 & 0x3F));
    add(0x80 | (c >> 6 & 0x3F));
    add(0x80 | (c & 0x3F));
  }
}

/// Number of characters in a text that is UTF-8.
inline int64_t count_of_characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char byte) { return !continues_character(byte); });
}

/// Number of bytes before the first one that is not UTF-8; the size of the text when all of it is.
size_t valid_utf8(std::string_view text);

/// Throws Error that names the first byte that is not UTF-8, by line and by column in bytes. `what` names the text,
/// which begins at `line` and `byte` of it.
void check_utf8(std::string_view text, std::string_view what, size_t line = 1, size_t byte = 1);

/// The text with U+FFFD instead of each byte that does not belong to a character. The result is always UTF-8.
std::string replace_invalid_utf8(std::string_view text);

}  // namespace tinyllm
