#pragma once

#include <tinyllm/runtime/agent/error.h>
#include <tinyllm/runtime/agent/filters.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

enum class Operation : uint8_t {
  create,
  read,
  update,
  remove,
  move,
  copy,
  list,
  find,
  classify,
  rename,
  tag,
  compress,
  extract
};
constexpr auto names(Operation) {
  return std::array{"create", "read",     "update", "delete", "move",     "copy",   "list",
                    "find",   "classify", "rename", "tag",    "compress", "extract"};
}
/// Whether an operation changes nothing.
inline bool only_looks(Operation operation) {
  return operation == Operation::read || operation == Operation::list || operation == Operation::find;
}

/// One change of a text: `set` replaces all of it, `append` and `prepend` add to it, `replace` exchanges `find` for
/// `with`: the first place, the first `count` places, or every place where `count` is "all" (0 here).
struct Edit {
  enum class Kind : uint8_t { set, append, prepend, replace };
  Kind kind = Kind::set;
  std::string find, with;
  int64_t count = 1;
};
constexpr auto names(Edit::Kind) { return std::array{"set", "append", "prepend", "replace"}; }

/// Where files of one kind go. The first rule that holds counts. `to` is a folder and may have {ext}, {yyyy}, {mm} and
/// {dd}: the extension without its dot, and the date of the last change.
struct Rule {
  std::vector<std::string> extensions;
  std::string contains, name_contains;
  std::string by;           ///< "ext", "year", "month" or "day": every file that has one.
  bool is_default = false;  ///< Every other file.
  std::string to;
};

/// One step. Which fields an operation takes is written in docs/agent.md; a field that it does not take is an error.
struct Step {
  Operation operation = Operation::list;
  std::string path = {};     ///< Literal.
  std::string pattern = {};  ///< A glob, see `Glob`.
  std::string src = {}, dst = {}, new_name = {};
  std::optional<std::string> content = {};
  bool overwrite = false, recursive = false;
  std::vector<Edit> edits = {};
  std::vector<Rule> rules = {};
  std::string tag = {};
  std::optional<Filters> filters = {};
  std::string find = {}, with = {}, name_template = {};
  int64_t batch = 0;          ///< Steps next to each other with one number are one permutation; 0 for none.
  std::string encoding = {};  ///< Of the text: "utf-8" or "gb18030"; empty for the policy's.
};

struct Plan {
  std::vector<Step> steps;
  std::string request;  ///< What was asked for, for the log.
};

inline constexpr size_t kMaxPlanBytes = size_t{1} << 20;
inline constexpr size_t kMaxSteps = 1000;

/// Reads a plan: a list of steps, or an object with `steps`. Times such as 30d are counted back from `now`, nanoseconds
/// since 1970. Throws AgentError with `bad_plan` for anything else: more than kMaxPlanBytes, nesting above 16, unknown
/// or missing fields, wrong types.
Plan parse_plan(std::string_view json, int64_t now);

}  // namespace tinyllm::agent
