#pragma once

#include <unicode/uniset.h>

#include <string_view>

namespace tinyllm {

/// The characters with a property of Unicode, by its name in a pattern: a general category ("L", "Lu"), a script
/// ("Han"), or a property of ICU ("White_Space", "Script=Greek"). Categories are those of Unicode 16 with every version
/// of ICU, since the tokens of a vocabulary were made with these. Throws Error on an unknown name.
icu::UnicodeSet characters_with(std::string_view property);

/// `\s`: U+0009 to U+000D, U+0085, and the blanks of all scripts.
icu::UnicodeSet blanks();
/// `\w`: letters, marks, digits, `_` and its like.
icu::UnicodeSet word_characters();

}  // namespace tinyllm
