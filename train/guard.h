#pragma once

#include <tinyllm/train/trainer.h>

#include <deque>
#include <optional>

namespace tinyllm {

/// Describes a weight that makes the model unable to answer: one with a value that is not finite, or whose square is
/// not finite. Nullopt if there is none.
std::optional<std::string> broken_weight(const Model& model);

/// Watches the losses of one stage of a run and reports when something goes wrong.
class Guard {
 public:
  /// A run ends after this many steps in a row whose loss or gradient is not finite.
  static constexpr int64_t kMaxBad = 10;
  /// A new loss is compared with the mean of this many losses before it.
  static constexpr size_t kWindow = 64;

  /// `first_loss` is the loss of the stage's first step if the run resumes after it, else 0.
  explicit Guard(int64_t vocab_size, double first_loss = 0);

  /// Takes the result of a step, counted from 1. Returns a message if the step had nothing to learn or is not finite;
  /// if its loss is a spike: more than 6 standard deviations, 10 % and 0.1 above the mean of the last kWindow; or,
  /// once, if the mean over kWindow has risen to 0.5 above its lowest value. Throws Error at the kMaxBad-th step in a
  /// row that is not finite.
  std::optional<std::string> add(int64_t step, const Trainer::Step& result);

  double first_loss() const { return first_loss_; }
  /// Says why a model with this loss cannot answer: the loss is not finite, or more than twice the larger of ln(V), the
  /// loss of guessing, and the loss of the stage's first step. Nullopt if the model can answer.
  std::optional<std::string> fault(double loss) const;

 private:
  std::optional<std::string> bad(int64_t step, const Trainer::Step& result);
  std::optional<std::string> rise(const Trainer::Step& result, double mean);

  double guessing_;
  double first_loss_;
  std::deque<double> recent_;
  double lowest_ = 0;  // The lowest mean over a window so far.
  bool has_risen_ = false;
  int64_t bad_in_a_row_ = 0;
};

}  // namespace tinyllm
