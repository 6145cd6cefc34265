#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstdint>
#include <functional>

namespace tinyllm {

/// The progress of long work, in units that the function documents.
struct Progress {
  int64_t done = 0;
  int64_t total = 0;
  int64_t made = 0;  ///< The output so far, if it is counted in another unit.
};

/// Called repeatedly; returns false to stop the work.
using OnProgress = std::function<bool(const Progress&)>;

/// Thrown by work that was stopped before it wrote anything.
class Stopped : public Error {
 public:
  Stopped() : Error("stopped; nothing was written") {}
};

/// Calls `on_progress` if there is one. Throws Stopped when it returns false.
inline void report(const OnProgress& on_progress, const Progress& progress) {
  if (on_progress && !on_progress(progress)) throw Stopped();
}

}  // namespace tinyllm
