#pragma once

#include <csignal>

namespace tinyllm {

inline volatile std::sig_atomic_t interrupts = 0;

/// From now on Ctrl-C and SIGTERM only count; a second one ends the program at once.
inline void count_interrupts() {
  const auto handler = [](int signal) {
    interrupts = interrupts + 1;
    if (interrupts > 1) {
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
  };
  std::signal(SIGINT, handler);
  std::signal(SIGTERM, handler);
}

}  // namespace tinyllm
