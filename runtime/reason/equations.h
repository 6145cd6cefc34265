#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace tinyllm {

/// One side of an equation, at bytes [begin, end) of its text.
struct EquationSide {
  size_t begin = 0;
  size_t end = 0;
  Rational value = {};
  bool is_number = false;       ///< One number, percentage or fraction of two, such as 7, -2.5, 60% and 3/5.
  bool is_approximate = false;  ///< It is linked to the side before it by ≈ or 约, instead of =.
  bool holds = true;            ///< Whether the link to the side before it is true.
};

/// A chain of at least two sides, such as 36*47=36*40+36*7=1692.
struct Equation {
  std::vector<EquationSide> sides;
  bool holds() const;
};

/// Finds the equations in a text and checks each of their links. A link by = is exact; one by ≈, 约 or 约等于 holds if
/// its right side is the left one rounded to the digits that are written, halves away from zero. Expressions are those
/// of `calculate`; of LaTeX, `\times`, `\cdot`, `\div` and `\approx` are known.
///
/// What cannot be computed is no equation and never false: sides with variables (x+3=7), units (3元+5元=8元), words
/// (概率=3/5), ratios (3:5=6:10), remainders (17/5=3余2), mixed numbers (15/2=7 1/2) and scales (=2.4万). A side is at
/// most 512 bytes long. Linear in the length of the text, which may be any bytes.
std::vector<Equation> equations_in(std::string_view text);

}  // namespace tinyllm
