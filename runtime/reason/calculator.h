#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <string>
#include <string_view>
#include <variant>

namespace tinyllm {

/// What an expression is worth: a number, whether a comparison holds, or why neither is known.
using Calculated = std::variant<Rational, bool, CalculatorError>;

/// Computes an expression exactly. Never throws for an expression, whatever its bytes are.
///
///     comparison = sum { ("=" | "==" | "≠" | "!=" | "<" | ">" | "≤" | "<=" | "≥" | ">=") sum }
///     sum        = product { ("+" | "-") product }
///     product    = signed { ("*" | "/") signed }
///     signed     = { "+" | "-" } power
///     power      = percent [ ("^" | "**") { "+" | "-" } power ]
///     percent    = ( number | "(" sum ")" | "[" sum "]" | "{" sum "}" ) { "%" | "‰" }
///     number     = digits with or without commas of thousands, a point, an exponent: 12  1,234.5  .5  1.2e-3
///
/// × ⋅ · are *, ÷ is /, and full-width forms are those of ASCII; blanks may stand between any two of these. -2^2 is -4,
/// 2^3^2 is 2^9. % divides by 100 and nothing else: 100+10% is 100.1. A chain of comparisons holds if each one does.
/// There are no variables, functions, roots or units, and no multiplication without a sign.
///
/// Limits: 4096 bytes; 64 brackets, signs and powers within one another; exponents to ±4096; 16384 bits for each
/// numerator and denominator, also of what is computed on the way; and the work of `Arithmetic`.
///
/// An error of form is reported before one of value, and the first of either kind.
Calculated calculate(std::string_view expression);

/// As "7", "15/2", "true", "division_by_zero".
std::string str(const Calculated& calculated);

}  // namespace tinyllm
