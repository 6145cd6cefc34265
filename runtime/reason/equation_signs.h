// A text as the finder of equations reads it. For the files of this folder alone.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Each character of a text as a sign, and the byte at which it begins. Signs are those of the calculator, and these.
struct EquationSigns {
  static constexpr char kAbout = '~';      ///< ≈ and 约.
  static constexpr char kSeparator = ';';  ///< Ends whatever is before it, as 。 does.
  static constexpr char kLine = '\n';
  static constexpr char kColon = ':';
  static constexpr char kLetter = 'a';  ///< A letter, or another sign that makes what it touches no number: √, ², |.
  static constexpr char kWord = 'h';    ///< A character of Chinese, or of another script.
  static constexpr char kRemainder = 'r';  ///< 余 and …, behind the quotient.
  static constexpr char kScale = 's';  ///< A character that changes the number it touches: 万 in 2.4万, 又 in 7又1/2.

  std::string signs;
  std::vector<size_t> bytes;  ///< One more than signs: the last is the size of the text.
};

EquationSigns equation_signs(std::string_view text);

/// Whether a sign can belong to an equation.
bool is_equation_sign(char sign);

}  // namespace tinyllm
