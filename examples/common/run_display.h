#pragma once

#include <tinyllm/train/run.h>
#include "progress_bar.h"

#include <exception>
#include <optional>

namespace tinyllm::cli {

/// Shows a run to a person at a terminal: a bar and what the guard says on the error stream; on the output stream each
/// validation, and how the model goes on from the prompts. A run whose output cannot be written is not lost: it stops
/// after the step, as by Ctrl-C, and is saved.
class RunDisplay {
 public:
  /// Takes the callbacks of `options`, which the display must outlive.
  explicit RunDisplay(RunOptions& options);
  /// Throws std::system_error when an output could not be written.
  void check() const;
  RunDisplay(const RunDisplay&) = delete;
  RunDisplay& operator=(const RunDisplay&) = delete;

 private:
  void show(const StepReport& report);
  void show(const Validation& validation);

  std::optional<ProgressBar> bar_;
  const Stage* shown_ = nullptr;  // What the bar is of.
  std::exception_ptr failure_;
};

}  // namespace tinyllm::cli
