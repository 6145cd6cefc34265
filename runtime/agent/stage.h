// New files and folders, made in the backup folder before they take their names. Not installed.
#pragma once

#include <tinyllm/runtime/agent/journal.h>
#include <tinyllm/runtime/agent/mover.h>
#include <tinyllm/runtime/agent/preview.h>

#include <map>
#include <string>

namespace tinyllm::agent {

class Stage {
 public:
  Stage(const Root& root, int64_t run, Handle backup, const FailPoint& at);

  /// Makes what a step needs, and returns the moves that make the step. `known` are the objects that the dry run has
  /// seen, by inode: one that is another now is not moved. Throws AgentError; then the step has changed nothing.
  StepRecord prepare(const StepPreview& step, const std::map<uint64_t, Source>& known);

 private:
  struct New {
    std::string path;
    Identity identity;
  };
  std::string next_slot();
  Handle new_file(std::string& path, uint32_t mode);
  Identity finished(const Handle& file, const std::string& path);
  New folder();
  New written(const std::string& bytes, std::string_view for_path);
  New replacement(const std::string& bytes, const std::string& path);
  New copied(const std::string& from);
  New archived(const Action& action);
  std::vector<New> extracted(const Action& action);

  // The object that has a name once the moves so far are made.
  Identity object_at(const std::string& path) const;
  void move(const std::string& from, const std::string& to, const Identity& what);
  void exchange(const New& made, const std::string& path);
  void prepare(const Action& action);

  const Root& root_;
  const int64_t run_;
  const Handle backup_;
  const FailPoint& at_;
  int64_t slots_ = 0, unsynced_ = 0;
  const std::map<uint64_t, Source>* known_ = nullptr;
  StepRecord step_;
  std::map<std::string, std::optional<Identity>> moved_;  // What the moves of this step leave at a path.
};

/// Throws AgentError with `changed_since_plan` unless a file has these bytes.
void check_bytes(const Root& root, const std::string& path, const std::string& bytes);

}  // namespace tinyllm::agent
