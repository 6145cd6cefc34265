// Answers without what only changes their looks. For the files of this folder alone.
#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// The characters of a text with the forms of ASCII replaced (look_alikes.h), LaTeX written out (\frac{3}{5} is 3/5,
/// 9{,}500 is 9,500, \text{cm} is cm), superscripts as ^2, ½ as 1/2, without Markdown's stars, without the dollars
/// around a formula, with single blanks and none around it. Any bytes are a text; those that are not UTF-8 become
/// U+FFFD.
std::u32string plain_text(std::string_view text);

std::string utf8(std::u32string_view text);

inline bool is_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
inline bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
inline bool is_hanzi(char32_t c) { return c >= 0x4E00 && c <= 0x9FFF; }
/// Without blanks and marks of punctuation at both ends.
std::u32string_view trimmed(std::u32string_view text);

}  // namespace tinyllm
