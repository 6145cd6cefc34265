#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::documents {

/// What a child process may cost.
struct ChildLimits {
  int seconds = 60;                             ///< Of the clock, and of processor time.
  uint64_t memory = uint64_t{1} << 30;          ///< Address space, in bytes.
  uint64_t output_bytes = uint64_t{128} << 20;  ///< Of standard output.
};

struct ChildResult {
  int exit_code = 0;  ///< 128 and the number of the signal that ended it.
  std::string output;
  std::string errors;              ///< The first 16 KB of standard error.
  bool is_without_network = true;  ///< False where the system does not let a process give up its network.
};

/// The file that a child reads, as an argument.
constexpr std::string_view kChildInput = "/dev/fd/3";

/// Where a program is in PATH; empty if it is not installed.
std::string find_program(std::string_view name);

/// Runs a program of Debian's `package` on an open file, and waits until it ends. It has an empty standard input, no
/// files of ours except that one, no network, no right to write files, and an environment of its own. It ends with this
/// thread. Throws Error when the program is not installed, and when it reaches a limit of time or output.
ChildResult run_child(const std::vector<std::string>& arguments, std::string_view package, int file,
                      const ChildLimits& limits);

}  // namespace tinyllm::documents
