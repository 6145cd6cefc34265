// Functions on texts that are both filters and methods.
#pragma once

#include <tinyllm/model/text/jinja/value.h>

namespace tinyllm::jinja {

/// Python's strip, lstrip, rstrip: without the blanks, or the characters of `chars`, at its ends.
Value strip(const Text& text, const Text* chars, bool left, bool right, Budget& budget);
/// With `to` instead of `from`, at most `count` times if it is not negative.
Value replace(const Text& text, const Text& from, const Text& to, int64_t count, Budget& budget);
/// Pieces between separators; `limit` separators at most if it is not negative. Throws Error on an empty separator.
Value split(const Text& text, const Text& separator, int64_t limit, Budget& budget);
/// Pieces between blanks.
Value split_at_spaces(const Text& text, int64_t limit, Budget& budget);
Value lines_of(const Text& text, Budget& budget);
/// str() of each item, with `separator` between them.
Value join(const List& items, const Text& separator, Budget& budget);

/// Changes the case of the letters of ASCII; others stay. The first letter is a capital of the text (`capitalize`), of
/// each sequence of letters (`title`, Python's method), or of each word (`words`, Jinja's filter).
enum class Case : uint8_t { lower, upper, capitalize, title, words };
Value with_case(const Text& text, Case to, Budget& budget);

/// Where `part` is at or after the byte `from`; npos when it is not.
size_t find_text(const Text& text, const Text& part, size_t from);

}  // namespace tinyllm::jinja
