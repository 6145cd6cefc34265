// What an agent keeps in the root: <root>/.agent with the lock, the journals and the backups. Not installed.
#pragma once

#include <tinyllm/runtime/agent/root.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tinyllm::agent {

class State {
 public:
  static constexpr const char* kFolder = ".agent";

  /// Opens and locks the state; null if there is none and `make` is false. Throws AgentError: `busy` when another
  /// process has it, `symlink` and the like when the folder is not one that this user alone can write.
  static std::unique_ptr<State> open(const Root& root, bool make);

  int folder() const { return folder_.get(); }
  /// Numbers of the runs, the oldest first.
  std::vector<int64_t> runs() const;
  /// The number of a new run: numbers never depend on a clock.
  int64_t next_run();
  /// The name of a run's journal and its folder of backups, as paths below the root.
  static std::string journal_path(int64_t run);
  static std::string backup_path(int64_t run);
  static std::string backup_path(int64_t run, int64_t slot);
  /// Makes the folder of a run's backups.
  Handle make_backup(int64_t run) const;
  /// Removes a run's backups, which nothing needs any more.
  void drop_backup(int64_t run) const;

 private:
  State(const Root& root, Handle folder) : root_(root), folder_(std::move(folder)) {}
  void lock();

  const Root& root_;
  Handle folder_, lock_;
  int64_t last_run_ = -1;  // -1: not looked up yet.
};

/// Sets the time of change of a folder, if this user may.
void set_folder_time(const Root& root, const std::string& path, int64_t modified);

}  // namespace tinyllm::agent
