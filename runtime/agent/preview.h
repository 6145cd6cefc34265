#pragma once

#include <tinyllm/runtime/agent/plan.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tinyllm::agent {

/// One change of one file or folder, with its final name.
struct Action {
  enum class Kind : uint8_t { make_folder, write, replace, copy, archive, extract, move, remove, read };
  Kind kind = Kind::read;
  std::string from = {}, to = {};  ///< Paths below the root when the action runs; `to` is empty for remove and read.
  int64_t files = 1;               ///< Regular files and what else is not a folder, in a whole tree.
  int64_t bytes = 0;               ///< In them; 0 for an archive that is yet to be made.
  std::shared_ptr<const std::string> content = {};                  ///< Of write and replace.
  std::vector<std::string> inputs = {};                             ///< Of archive.
  std::vector<std::pair<std::string, std::string>> extracted = {};  ///< Of extract: name in the archive, path.
  bool permuted = false;  ///< A rename whose new name is still taken: all of them are set aside first.
};
constexpr auto names(Action::Kind) {
  return std::array{"folder", "create", "replace", "copy", "archive", "extract", "move", "delete", "read"};
}

/// What one step will do; renames with one batch number are one step here.
struct StepPreview {
  size_t step = 0;  ///< Its number in the plan, from 1.
  Operation operation = Operation::list;
  std::vector<Action> actions;
  std::vector<std::string> found;  ///< Paths that list and find give; folders end in a slash.
  std::vector<std::string> notes;  ///< What a reader should know, one line each.
  int64_t files = 0, folders = 0, bytes = 0;
  bool is_typed = false;  ///< Needs the number typed.
};

/// Something on the disk that the plan touches, as it was in the dry run.
struct Source {
  uint64_t device = 0, inode = 0;
  int64_t size = 0, modified = 0, changed = 0;
  int64_t entries = -1;  ///< Of a folder that is taken whole; -1 for others.
  bool is_folder = false;
};

/// The whole plan, tried on a model of the tree. Nothing was written.
struct Preview {
  std::string request;
  std::vector<StepPreview> steps;
  std::map<std::string, Source> sources;  ///< By path.
  int64_t files = 0, folders = 0;         ///< That are changed, in all steps.
  int64_t bytes_written = 0;              ///< New bytes on the disk.

  /// Whether anything is changed at all.
  bool changes() const;
  /// The number to type for what cannot be seen at a glance: delete, bulk rename, overwrite; -1 if none is needed.
  int64_t number_to_type() const;
};

}  // namespace tinyllm::agent
