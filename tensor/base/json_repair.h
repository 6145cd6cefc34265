#pragma once

#include <string>
#include <string_view>

namespace tinyllm {

/// JSON as other programs write it, made into JSON that every parser reads, of the same size:
///   half of a surrogate pair in a string, as in "\ud83d"      becomes \ufffd
///   a number with an exponent or more than 15 digits          becomes 0: a parser may find it too large
///   NaN, Infinity and -Infinity, which Python's json writes   become 0
/// Everything else is copied, so what is not JSON is still refused, at the same byte. For use after a parser has
/// refused a text whose large numbers nobody needs. Takes time in proportion to the text.
std::string repair_json(std::string_view json);

}  // namespace tinyllm
