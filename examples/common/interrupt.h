#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

namespace tinyllm::cli {

/// 1 once Ctrl-C was pressed since the last `InterruptGuard` was made, else 0.
inline volatile std::sig_atomic_t interrupts = 0;

/// While one exists, Ctrl-C, SIGTERM and SIGHUP (the terminal was closed) only set a flag; a second one ends the
/// program at once. Signals within a second count as one: `timeout` and process managers signal a program and then its
/// process group.
class InterruptGuard {
 public:
  /// `notice` is written to the error stream at the first Ctrl-C and must never be freed. It says what the program will
  /// do, for example "\nStopping after this step.\n".
  explicit InterruptGuard(const char* notice = "") {
    interrupts = 0;
    notice_ = notice;
    std::signal(SIGINT, note);
    std::signal(SIGTERM, note);
    hangup_ = std::signal(SIGHUP, note);
    if (hangup_ == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // As `nohup` asks.
  }
  ~InterruptGuard() {
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGHUP, hangup_);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static inline const char* volatile notice_ = "";
  void (*hangup_)(int);  // The previous handler of SIGHUP.

  // Calls only what POSIX allows in a signal handler.
  static void note(int signal) {
    static timespec first;
    timespec now;
    const int saved = errno;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (signal == SIGHUP) leave_terminal();
    if (interrupts == 0) {
      first = now;
      interrupts = 1;
      const char* notice = notice_;
      [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, notice, std::strlen(notice));
    } else if (now.tv_sec - first.tv_sec > 1 || (now.tv_sec - first.tv_sec == 1 && now.tv_nsec > first.tv_nsec)) {
      std::signal(signal, SIG_DFL);
      std::raise(signal);
    }
    errno = saved;
  }

  // Output to a closed terminal or a pipe without a reader would fail and end the program before it has saved, so it is
  // discarded. Output to files stays.
  static void leave_terminal() {
    const int nowhere = open("/dev/null", O_WRONLY);
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
      struct stat status {};
      if (nowhere >= 0 && fstat(stream, &status) == 0 && !S_ISREG(status.st_mode)) dup2(nowhere, stream);
    }
    if (nowhere > STDERR_FILENO) close(nowhere);
  }
};

}  // namespace tinyllm::cli
