#pragma once

#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/progress.h>

#include <string>

namespace tinyllm::cli {

/// Shows progress on the error stream: on a terminal a line that is redrawn, otherwise a plain line from time to time.
class ProgressBar {
 public:
  ProgressBar(std::string title, int64_t total);
  /// Ends the line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Shows `done` of the total, followed by some words. Words that do not fit on the line are left out. Each byte of
  /// them must be one column.
  void show(int64_t done, const std::string& words);

 private:
  std::string title_;
  int64_t total_;
  bool is_terminal_;
  bool drawn_ = false;
  Clock::time_point last_{};
};

/// Shows how many weights are done of a model, or of one after the other, when it takes longer than a second.
OnProgress show_weights();

/// 3:05, or 2:03:05.
std::string clock_time(double seconds);

}  // namespace tinyllm::cli
