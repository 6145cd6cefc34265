#include "progress_bar.h"

#include <fmt/format.h>

#include "program.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cmath>
#include <memory>
#include <optional>
#include <utility>

namespace tinyllm::cli {

ProgressBar::ProgressBar(std::string title, int64_t total)
    : title_(std::move(title)), total_(total), is_terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (is_terminal_ && drawn_) note("\n");
}

void ProgressBar::show(int64_t done, const std::string& words) {
  const double gap = is_terminal_ ? 0.1 : 15.0;  // Seconds.
  const bool due = !drawn_ || seconds_since(last_) >= gap;
  if (!due && done != total_) return;
  last_ = Clock::now();
  drawn_ = true;
  if (!is_terminal_) {
    note(fmt::format("{} {}/{}  {}\n", title_, done, total_, words));
    return;
  }
  constexpr int64_t kWidth = 20;
  const auto filled = static_cast<size_t>(total_ == 0 ? kWidth : kWidth * done / total_);
  std::string line = fmt::format("{} {}/{} [{}{}]  {}", title_, done, total_, std::string(filled, '='),
                                 std::string(kWidth - filled, ' '), words);
  // A line that wraps cannot be redrawn.
  winsize window{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 1 && line.size() >= window.ws_col) {
    line.resize(window.ws_col - 1u);
  }
  note("\r\x1b[K" + line);
}

OnProgress show_weights() {
  struct State {
    Clock::time_point begin = Clock::now();
    std::optional<ProgressBar> bar = {};
  };
  return [state = std::make_shared<State>()](const Progress& progress) {
    constexpr int64_t kMillion = 1'000'000;
    if (!state->bar && seconds_since(state->begin) < 1) return true;
    if (!state->bar) state->bar.emplace("M weights", progress.total / kMillion);
    state->bar->show(progress.done / kMillion, "");
    if (progress.done == progress.total) {
      state->bar.reset();
      state->begin = Clock::now();
    }
    return true;
  };
}

std::string clock_time(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace tinyllm::cli
