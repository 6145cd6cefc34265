// An equation that a text has begun. For the files of this folder alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// An equation whose right side is missing or incomplete, as at the end of "36*47=16".
struct OpenEquation {
  std::vector<std::string> results = {};  ///< What may stand there: "3.4", "17/5", "3余2".
  std::string begun = {};  ///< What stands there: the beginning of a result, or one, perhaps with a point or blanks.
  bool may_have_blank = false;  ///< Before the result.

  /// What stands behind a result that is complete: nothing, a point, a comma, or a blank. Nothing if none is.
  std::optional<std::string> behind() const;
  /// Whether `more` can follow what is begun: a result goes on, or ends and is not changed by what follows.
  bool may_go_on(std::string_view more) const;
  /// Whether `more` has a part of a result.
  bool writes(std::string_view more) const;
  /// The bytes that a result can go on with.
  std::string next_bytes() const;
};

/// The equation that is open at the end of a text. Nothing if there is none: its left side has no operator, cannot be
/// computed, or what stands on its right is no result.
std::optional<OpenEquation> open_equation(std::string_view text);

/// Whether a text behind a number leaves its value as it is: not 5, .5, /2, % or 万; nor an operator behind blanks.
bool leaves_number(std::string_view behind);

}  // namespace tinyllm
