#pragma once

#include <tinyllm/train/trainer.h>

#include <deque>
#include <optional>

namespace tinyllm {

/// Watches the losses of a run for what goes wrong while nobody looks.
class Guard {
 public:
  /// Steps in a row that may be skipped because their loss or gradient is not finite.
  static constexpr int64_t kMaxSkipped = 10;
  /// Losses that a new one is compared with.
  static constexpr size_t kWindow = 64;

  /// Takes the result of a step, counted from 1. Returns what is to be said about it, in words: a skipped step; a
  /// spike, a loss more than 6 standard deviations and 10 % above the last kWindow; once, that the loss keeps rising.
  /// Throws Error at the kMaxSkipped-th skipped step in a row.
  std::optional<std::string> add(int64_t step, const Trainer::Step& result);

  int64_t skipped() const { return skipped_; }  ///< In all.

 private:
  std::optional<std::string> skip(int64_t step, const Trainer::Step& result);
  std::optional<std::string> rise(const Trainer::Step& result, double mean);

  std::deque<double> recent_;
  double lowest_ = 0;  ///< Mean over a window, of all that were.
  bool has_risen_ = false;
  int64_t skipped_ = 0;
  int64_t in_a_row_ = 0;
};

}  // namespace tinyllm
