#pragma once

#include <unicode/uniset.h>

#include <string_view>

namespace tinyllm {

/// The characters with a Unicode property, by its name in a pattern: a general category ("L", "Lu"), a script ("Han"),
/// or another property ("White_Space", "Script=Greek"). Categories are those of Unicode 16, whatever the version of
/// ICU: other categories would give other tokens. Throws Error on an unknown name.
icu::UnicodeSet characters_with(std::string_view property);

/// `\s`: U+0009 to U+000D, U+0085, and the blanks of all scripts.
icu::UnicodeSet blanks();
/// `\w`: letters, marks, digits, `_` and its like.
icu::UnicodeSet word_characters();

}  // namespace tinyllm
