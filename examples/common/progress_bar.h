#pragma once

#include <tinyllm/tensor/base/clock.h>

#include <string>

namespace tinyllm::cli {

/// Progress on the error stream: a line that is drawn again and again on a terminal, and plain lines now and then on
/// anything else.
class ProgressBar {
 public:
  ProgressBar(std::string title, int64_t total);
  /// Ends the line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  /// Shows `done` of the total, followed by some words: what does not fit on the line is left out. One byte of them
  /// is one column.
  void show(int64_t done, const std::string& words);

 private:
  std::string title_;
  int64_t total_;
  bool is_terminal_;
  bool drawn_ = false;
  Clock::time_point last_{};
};

/// 3:05, or 2:03:05.
std::string clock_time(double seconds);

}  // namespace tinyllm::cli
