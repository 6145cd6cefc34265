#pragma once

#include <tinyllm/train/trainer.h>

#include <deque>
#include <optional>

namespace tinyllm {

/// A weight of the model that makes it unable to answer, in words: it holds a value that is not finite, or one so large
/// that its square is not. Nullopt if there is none.
std::optional<std::string> broken_weight(const Model& model);

/// Watches the losses of one stage of a run for what goes wrong while nobody looks.
class Guard {
 public:
  /// Steps in a row whose loss or gradient is not finite, at which a run ends.
  static constexpr int64_t kMaxBad = 10;
  /// Losses that a new one is compared with.
  static constexpr size_t kWindow = 64;

  /// `first_loss` is the loss of the stage's first step where a run goes on after it; else 0.
  explicit Guard(int64_t vocab_size, double first_loss = 0);

  /// Takes the result of a step, counted from 1. Returns what is to be said about it, in words: that it is not finite,
  /// or had nothing to learn; a spike, a loss more than 6 standard deviations, 10 % and 0.1 above the mean of the last
  /// kWindow; once, that the loss has risen by 0.5 above its lowest, both averaged over kWindow. Throws Error at the
  /// kMaxBad-th step in a row that is not finite.
  std::optional<std::string> add(int64_t step, const Trainer::Step& result);

  double first_loss() const { return first_loss_; }
  /// Why a model with this loss cannot answer, in words: it is not finite, or more than twice that of guessing, ln(V),
  /// and of the stage's first step. Nullopt if it can.
  std::optional<std::string> fault(double loss) const;

 private:
  std::optional<std::string> bad(int64_t step, const Trainer::Step& result);
  std::optional<std::string> rise(const Trainer::Step& result, double mean);

  double guessing_;
  double first_loss_;
  std::deque<double> recent_;
  double lowest_ = 0;  // Mean over a window, of all so far.
  bool has_risen_ = false;
  int64_t bad_in_a_row_ = 0;
};

}  // namespace tinyllm
