// Functions on texts that templates can call both as filters and as methods.
#pragma once

#include <tinyllm/model/text/jinja/value.h>

namespace tinyllm::jinja {

/// Python's strip, lstrip, rstrip: removes blanks, or the characters in `chars`, from the ends.
Value strip(const Text& text, const Text* chars, bool left, bool right, Budget& budget);
/// Replaces `from` by `to`; at most `count` times unless `count` is negative.
Value replace(const Text& text, const Text& from, const Text& to, int64_t count, Budget& budget);
/// Splits at separators; at most `limit` of them unless `limit` is negative. Throws Error on an empty separator.
Value split(const Text& text, const Text& separator, int64_t limit, Budget& budget);
/// Splits at runs of blanks.
Value split_at_spaces(const Text& text, int64_t limit, Budget& budget);
Value lines_of(const Text& text, Budget& budget);
/// str() of each item, with `separator` between them.
Value join(const List& items, const Text& separator, Budget& budget);

/// Changes the case of ASCII letters; others stay. Upper case is the first letter of the text (`capitalize`), of each
/// sequence of letters (`title`, Python's method), or of each word (`words`, Jinja's filter).
enum class Case : uint8_t { lower, upper, capitalize, title, words };
Value with_case(const Text& text, Case to, Budget& budget);

/// The position of `part` from byte `from` on; npos if it is not there.
size_t find_text(const Text& text, const Text& part, size_t from);

}  // namespace tinyllm::jinja
