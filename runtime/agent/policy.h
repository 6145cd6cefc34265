#pragma once

#include <tinyllm/runtime/agent/plan.h>

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// What an agent may do, as a configuration file says. The defaults are those of a file that names only the root.
struct Policy {
  std::filesystem::path root;
  std::set<Operation> allow_ops;            ///< All by default.
  std::vector<std::string> deny_patterns;   ///< Globs; see Guard.
  bool dry_run_default = true;              ///< Programs only show a plan unless they are told to run it.
  std::set<Operation> require_confirm_for;  ///< Need a typed confirmation, besides delete, bulk rename and overwrite.
  std::set<Operation> allow_unattended;     ///< May run without a person; none by default.
  bool backup = true;                       ///< false: what a run replaced or deleted is dropped when it ends.
  std::filesystem::path log_path;           ///< Empty for the default of the program.
  int64_t max_batch = 1000;                 ///< Files in one plan.
  std::string encoding = "utf-8";           ///< Of texts: utf-8 or gb18030.
  bool rollback_on_error = true;          ///< false: what was done before a step that failed stays (`on_error: stop`).
  bool portable_names = true;             ///< New names must work on Windows too.
  bool follow_symlinks_inside = false;    ///< `read` may follow links that stay inside the root.
  std::vector<std::string> allow_hidden;  ///< Globs of hidden names that may be touched.

  Policy();
};

/// Reads a policy from YAML or JSON: the keys of docs/agent.md, in an object `agent` or at the top. Relative paths are
/// below `folder`, where the file is. Throws AgentError with `bad_plan` for unknown keys and wrong values.
Policy parse_policy(std::string_view text, const std::filesystem::path& folder);
Policy load_policy(const std::filesystem::path& file);

}  // namespace tinyllm::agent
