#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// Turns JSON as other programs write it into JSON that every parser reads. The size stays the same:
///   half of a surrogate pair in a string, as in "\ud83d"      becomes \ufffd
///   a number with an exponent or more than 15 digits          becomes 0: a parser may find it too large
///   NaN, Infinity and -Infinity, which Python's json writes   become 0
/// Everything else is copied, so a parser still rejects what is not JSON, at the same byte. For use after a parser has
/// rejected a text in which large numbers do not matter. Takes time in proportion to the text.
std::string repair_json(std::string_view json);

}  // namespace tinyllm
