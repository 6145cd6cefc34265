#pragma once

#include <tinyllm/train/problems/problem.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tinyllm::problems {

/// Why a question gets no other numbers.
enum class Refusal : uint8_t {
  no_equation,       ///< It has no equation, or one of other operations than + - * /.
  no_number,         ///< Its answer is no number above 0, or its question has no number to draw again.
  other_answer,      ///< Its equations have another result than its answer.
  false_step,        ///< A written result is not that of its equation.
  number_twice,      ///< A number stands twice in the question, or once more in words.
  number_unused,     ///< A number of the question is in no equation.
  number_ambiguous,  ///< A number in the reasoning may be one of several, or a constant.
  number_unknown,    ///< A number in the reasoning is neither from the question, nor a result, nor a usual constant.
  number_is_name,    ///< A date, a time of day, a place in an order, a part of a word.
  number_unread,     ///< A mixed number, or one of more than 9 digits.
  too_long,          ///< A question of more than 4096 bytes or 32 numbers, or more than 32 equations.
};
constexpr auto names(Refusal) {
  return std::array{"no equation",      "no number",       "other answer",     "false step",
                    "number twice",     "number unused",   "number ambiguous", "number unknown",
                    "number is a name", "number not read", "too long"};
}

/// A question that somebody wrote, whose numbers can be drawn again.
class RealProblem {
 public:
  /// Reads a line of JSON in one of these forms:
  ///  - GSM8K: question, answer with <<48/2=24>> and "#### 24"; or user, cot_calc and answer, as in our own files;
  ///  - Ape210K and Math23K: original_text, equation ("x=135/3*2+26"), ans; or user, equation and answer.
  /// The reason why it cannot be redrawn, if it cannot. Throws Error for a line in another form.
  static std::variant<RealProblem, Refusal> read(std::string_view line);

  ~RealProblem();
  RealProblem(RealProblem&&) noexcept;
  RealProblem& operator=(RealProblem&&) noexcept;

  /// The same question with other numbers, its steps computed again, and each one checked: a function of its arguments.
  /// Each number has as many digits and decimals as before; each result is above 0, as whole as it was, on the same
  /// side of 1, and at most ten times larger or smaller. Nothing if no such numbers of this split were found.
  ///
  /// Splits are `train`, `numbers` and `wording`: of the latter are all redraws of one question in ten, which is chosen
  /// by its text without numbers.
  std::optional<Problem> draw(uint64_t seed, uint64_t index, Split split) const;

 private:
  struct Parts;
  explicit RealProblem(std::unique_ptr<const Parts> parts);
  std::unique_ptr<const Parts> parts_;
};

}  // namespace tinyllm::problems
