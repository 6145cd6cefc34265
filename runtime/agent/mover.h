// Moves on the disk, checked before and after. Not installed.
#pragma once

#include <tinyllm/runtime/agent/journal.h>

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace tinyllm::agent {

/// Called before and after everything that changes the disk, with a name; for tests, which may end the process there.
using FailPoint = std::function<void(const char* name)>;

class Mover {
 public:
  Mover(const Root& root, const FailPoint& at) : root_(root), at_(at) {}

  /// Makes a move. The object that comes out is compared with `what`; if it is another one, it goes straight back.
  /// Throws AgentError: `changed_since_plan`, `exists`, `symlink` and so on; then nothing has moved.
  void make(const Move& move) const;
  /// Takes a move back if it was made. Throws AgentError when it was made and cannot be taken back.
  void take_back(const Move& move) const;
  /// Takes back every move of an open run, the last first, and the times of its folders. Returns what could not be; the
  /// rest is as it was.
  std::vector<std::string> take_back(const RunRecord& run) const;
  void take_back(const StepRecord& step, std::vector<std::string>& problems) const;

  /// The times of the folders in which these moves change names.
  std::vector<FolderTime> folder_times(std::span<const Move> moves) const;
  /// Sets times of folders that are still the same ones.
  void restore(std::span<const FolderTime> times) const;
  /// Makes the disk hold the new names.
  void sync(std::span<const Move> moves) const;
  void at(const char* name) const {
    if (at_) at_(name);
  }

 private:
  void rename(const Move& move, bool back) const;

  const Root& root_;
  const FailPoint& at_;
};

/// The move that takes this one back.
Move reversed(const Move& move);

}  // namespace tinyllm::agent
