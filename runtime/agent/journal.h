// The journal of a run: what it is about to do, and what it has done. Not installed.
#pragma once

#include <tinyllm/runtime/agent/state.h>
#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tinyllm::agent {

/// All that ever happens to the tree: an object takes a new name that is free, or two objects exchange their names.
/// What is made is made under a name in the backup folder first, and what is deleted or replaced ends there.
struct Move {
  bool exchange = false;
  std::string from = {}, to = {};              ///< Below the root; in the backup folder they begin with .agent/.
  Identity what = {};                          ///< The object at `from` before.
  Identity other = {};                         ///< Of an exchange: the object at `to` before.
  int64_t undoes_step = -1, undoes_move = -1;  ///< Of an undo: which move of the other run, counted from 0.
};

struct FolderTime {
  std::string path;
  uint64_t inode = 0;
  int64_t modified = 0;
};

/// The moves of one step, and the times of the folders that they change.
struct StepRecord {
  std::vector<Move> moves;
  std::vector<FolderTime> before, after;
  std::vector<FolderTime> restore;  ///< Of an undo: the times to give back.
  std::set<int64_t> failed;         ///< Of an undo: moves that could not be made.
  bool done = false;
};

struct RunRecord {
  enum class Status : uint8_t { open, committed, rolled_back };
  int64_t run = 0;
  int64_t undoes = 0;  ///< The run that this one takes back; 0 for none.
  std::string request, time;
  std::vector<StepRecord> steps;
  Status status = Status::open;
};

/// Writes the journal of a new run: each record is on the disk before the function returns. Throws AgentError.
class Journal {
 public:
  Journal(const Root& root, int64_t run, std::string_view request, int64_t undoes);

  void intend(const StepRecord& step);
  void done(const StepRecord& step);
  void commit();

  /// Appends the end of a run that was rolled back.
  static void rolled_back(const Root& root, int64_t run);
  /// A run as its journal has it; a last line that was cut off does not count. Throws AgentError when another line
  /// cannot be read.
  static RunRecord read(const Root& root, int64_t run);

 private:
  void append(const Json& record);

  std::string name_;
  Handle file_;
};

}  // namespace tinyllm::agent
