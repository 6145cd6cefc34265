#pragma once

#include <csignal>
#include <ctime>

namespace tinyllm {

/// How often Ctrl-C was pressed since the last `InterruptGuard` was made.
inline volatile std::sig_atomic_t interrupts = 0;

/// While one lives, Ctrl-C and SIGTERM only count; a second one ends the program at once. Signals within a second are
/// one press: `timeout` and process managers signal a program and then the group that it is in.
class InterruptGuard {
 public:
  InterruptGuard() {
    interrupts = 0;
    std::signal(SIGINT, count);
    std::signal(SIGTERM, count);
  }
  ~InterruptGuard() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static void count(int signal) {
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

}  // namespace tinyllm
