// How a number is written. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/reason/rational.h>

#include <string_view>

namespace tinyllm {

struct NumberForm {
  bool is_number = false;   ///< One number, percentage or fraction of two.
  bool is_literal = false;  ///< A number or percentage.
  bool is_percent = false;
  int decimals = 0;
  int zeros = 0;  ///< At the end of a whole number, which may have been rounded to.

  /// Whether a value, rounded to the digits that are written, is the written one.
  bool rounds(const Rational& exact, const Rational& written) const;
};

/// The form of a text in the calculator's signs.
NumberForm number_form(std::string_view signs);

}  // namespace tinyllm
