#pragma once

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/runtime/agent/policy.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// A path that was given as text, and what is below the root: `docs/a.md`; empty for the root itself.
struct Place {
  std::string path;
  bool is_folder = false;  ///< It ended in a slash.
};

/// The first two of three stages that every path passes: what it says, and what the policy allows. The third is the
/// kernel's, see Root.
///
/// Deny patterns are compared with folded names without dots and blanks at their ends. A pattern denies what it matches
/// and everything below. With a slash it is compared with the path below the root, without one with each name; one
/// that begins with / or a drive is compared with the whole path.
class Guard {
 public:
  /// `root` is the real path of the root.
  Guard(const Policy& policy, std::string root);
  ~Guard();

  enum class Use {
    look,    ///< The root itself may be given.
    change,  ///< It may not.
    make     ///< The names are new ones, and must be portable.
  };
  /// Both stages for a path of a plan. Throws AgentError: `root_itself`, `outside_root`, `bad_path`, then those of
  /// `why_not`, then `bad_name`.
  Place place(std::string_view given, Use use) const;

  /// A path below the root that the file system has.
  struct Refusal {
    Code code;
    std::string why;
  };
  std::optional<Refusal> why_not(std::string_view path) const;
  /// The same for the last name alone, where the folder is known to be allowed. Quicker, for walks.
  std::optional<Refusal> why_not_here(std::string_view folder, std::string_view name) const;
  /// Throws AgentError with `bad_name` when a new name is too long or not portable.
  void check_new_name(std::string_view name) const;

  const std::string& root() const { return root_; }

 private:
  struct Denial;
  bool denies(const Denial& denial, const std::vector<std::string_view>& folded) const;
  std::optional<Refusal> why_not(const std::vector<std::string_view>& parts,
                                 const std::vector<std::string>& folded) const;

  const Policy& policy_;
  std::string root_;
  std::vector<std::string> folded_root_;
  std::vector<Denial> denials_;
  std::vector<Glob> allow_hidden_;
  // Folded parts of the folder that a walk has asked for last: its other entries come next.
  mutable std::string last_folder_;
  mutable std::vector<std::string> last_folded_;
};

}  // namespace tinyllm::agent
