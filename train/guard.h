#pragma once

#include <tinyllm/train/trainer.h>

#include <deque>
#include <optional>

namespace tinyllm {

/// Watches the losses of one stage of a run for what goes wrong while nobody looks.
class Guard {
 public:
  /// Steps in a row whose loss or gradient is not finite, at which a run ends.
  static constexpr int64_t kMaxBad = 10;
  /// Losses that a new one is compared with.
  static constexpr size_t kWindow = 64;

  /// Takes the result of a step, counted from 1. Returns what is to be said about it, in words: that it is not finite,
  /// or had nothing to learn; a spike, a loss more than 6 standard deviations, 10 % and 0.1 above the mean of the last
  /// kWindow; once, that the loss has risen by 0.5 above its lowest, both averaged over kWindow. Throws Error at the
  /// kMaxBad-th step in a row that is not finite.
  std::optional<std::string> add(int64_t step, const Trainer::Step& result);

 private:
  std::optional<std::string> bad(int64_t step, const Trainer::Step& result);
  std::optional<std::string> rise(const Trainer::Step& result, double mean);

  std::deque<double> recent_;
  double lowest_ = 0;  ///< Mean over a window, of all that were.
  bool has_risen_ = false;
  int64_t bad_in_a_row_ = 0;
};

}  // namespace tinyllm
