#include "program.h"

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/file.h>

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <new>
#include <system_error>

namespace tinyllm::cli {
namespace {

// Prints each line of a message to standard error, after the name of the program unless the line already begins with
// it.
void print_error(const std::string& program, std::string_view message) {
  const std::string prefix = program + ": ";
  while (!message.empty()) {
    const size_t end = std::min(message.find('\n'), message.size());
    std::string_view line = message.substr(0, end);
    if (line.starts_with(prefix)) line.remove_prefix(prefix.size());
    note(fmt::format("{}{}\n", prefix, line));
    message.remove_prefix(std::min(end + 1, message.size()));
  }
}

// Whether a reader has closed the pipe that standard output is: it has read enough. A failed write of a line leaves no
// reason behind, so the pipe is asked.
bool reader_is_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace

std::string program_name(const char* const* argv) {
  return argv[0] == nullptr ? "tinyllm" : std::filesystem::path(argv[0]).filename().string();
}

int run_main(const char* const* argv, const std::function<int()>& run) {
  const std::string name = program_name(argv);
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  // Writing to a closed pipe, or to a file that may not grow, then fails instead of ending the program, which can still
  // save its work or remove what it has begun.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  int code = 1;
  int reason = 0;  // The errno of writing to standard output.
  try {
    code = run();
  } catch (const Exit& exit) {
    code = exit.code;
  } catch (const UsageError& error) {
    print_error(name, error.what());
    note(fmt::format("{} --help lists the options.\n", name));
    code = 2;
  } catch (const std::system_error& error) {
    if (std::ferror(stdout) != 0) {
      reason = error.code().value();
    } else {
      print_error(name, error.what());
    }
  } catch (const std::bad_alloc&) {
    print_error(name, "out of memory");
  } catch (const std::exception& error) {
    print_error(name, error.what());
  }
  if (std::fflush(stdout) != 0) reason = errno;
  if (std::ferror(stdout) == 0) return code;
  if (reason != EPIPE && !reader_is_gone()) {
    print_error(name, fmt::format("the output cannot be written{}{}", reason == 0 ? "" : ": ",
                                  reason == 0 ? "" : std::strerror(reason)));
  }
  return code == 0 ? 1 : code;
}

void note(const std::string& text) { std::fputs(text.c_str(), stderr); }

std::unique_ptr<FolderLock> lock_folder(const std::filesystem::path& folder) {
  return std::make_unique<FolderLock>(folder, [](const std::string& text) { note(text + "\n"); });
}

void refuse_same(const std::filesystem::path& model, const std::filesystem::path& output) {
  if (is_same(model, output)) throw Error("{}: is the model to read; give another --output", output.string());
}

void refuse_finished_model(const std::filesystem::path& folder) {
  if (has_model(folder)) {
    throw Error("{}: holds a finished model; remove it, or give another --output", folder.string());
  }
}

}  // namespace tinyllm::cli
