#pragma once

#include <csignal>
#include <ctime>

namespace tinyllm::cli {

/// 1 once Ctrl-C was pressed since the last `InterruptGuard` was made, else 0.
inline volatile std::sig_atomic_t interrupts = 0;

/// While one lives, Ctrl-C and SIGTERM are only noted; a second one ends the program at once. Signals within a second
/// are one press: `timeout` and process managers signal a program and then the group that it is in.
class InterruptGuard {
 public:
  InterruptGuard() {
    interrupts = 0;
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);
  }
  ~InterruptGuard() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static void note(int signal) {
    static timespec first;
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (interrupts == 0) {
      first = now;
      interrupts = 1;
    } else if (now.tv_sec - first.tv_sec > 1 || (now.tv_sec - first.tv_sec == 1 && now.tv_nsec > first.tv_nsec)) {
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
  }
};

}  // namespace tinyllm::cli
