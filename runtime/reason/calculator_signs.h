// The signs of the calculator in other scripts. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/look_alikes.h>

#include <string_view>

namespace tinyllm {

/// Stands for ‰ where text is ASCII otherwise.
inline constexpr char kPermille = '\x80';
/// Stands for a character that the calculator does not know.
inline constexpr char kUnknown = '\xFF';

/// A character as the calculator's lexer reads it; empty if it does not know it.
constexpr std::string_view calculator_sign(char32_t c) {
  c = ascii_form(c);
  switch (c) {
    case 0xD7:    // ×
    case 0x22C5:  // ⋅
    case 0xB7:    // ·
      return "*";
    case 0xF7:
      return "/";  // ÷
    case 0x2030:
      return "\x80";
    case 0x2260:
      return "!=";
    case 0x2264:  // ≤
    case 0x2266:  // ≦
    case 0x2A7D:  // ⩽
      return "<=";
    case 0x2265:
    case 0x2267:
    case 0x2A7E:
      return ">=";
    default:
      break;
  }
  constexpr std::string_view kAscii = "0123456789+-*/^%()[]{}=!<>.,eE \t\r\n";
  const size_t found = c < 0x80 ? kAscii.find(static_cast<char>(c)) : std::string_view::npos;
  return found == std::string_view::npos ? std::string_view() : kAscii.substr(found, 1);
}

}  // namespace tinyllm
