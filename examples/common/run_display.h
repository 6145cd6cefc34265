#pragma once

#include <tinyllm/train/run.h>
#include "progress_bar.h"

#include <exception>
#include <optional>

namespace tinyllm::cli {

/// Shows a run to a person at a terminal. The error stream has a bar and the events; the output stream has each
/// validation and how the model continues the prompts. If the output cannot be written, the run stops after the step,
/// as with Ctrl-C, and is saved.
class RunDisplay {
 public:
  /// Sets the callbacks of `options`. The display must outlive them.
  explicit RunDisplay(RunOptions& options);
  /// Throws std::system_error when an output could not be written.
  void check() const;
  RunDisplay(const RunDisplay&) = delete;
  RunDisplay& operator=(const RunDisplay&) = delete;

 private:
  void show(const StepReport& report);
  void show(const Validation& validation);

  std::optional<ProgressBar> bar_;
  const Stage* shown_ = nullptr;  // The stage that the bar shows.
  std::exception_ptr failure_;
};

}  // namespace tinyllm::cli
