// Numbers in digits, as the calculator and answers write them. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <optional>
#include <string_view>

namespace tinyllm {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct NumberLiteral {
  size_t end = 0;    ///< Of its text.
  int decimals = 0;  ///< Digits after the point.
  Rational value = {};
};

/// The number that begins at `at`: digits, or digits in threes behind commas, perhaps a point with digits, perhaps an
/// exponent. Nothing if none begins there, or if what follows belongs to it and is no number: 1..2, 1,23, 2e.
/// `strict` is how the calculator reads; otherwise a point, comma or letter that cannot belong to the number ends it,
/// as at the end of a sentence. A value beyond the limits is an error of `arithmetic`.
std::optional<NumberLiteral> number_literal(std::string_view text, size_t at, bool strict, Arithmetic& arithmetic);

}  // namespace tinyllm
