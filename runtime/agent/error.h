#pragma once

#include <tinyllm/tensor/base/error.h>

#include <array>
#include <cstdint>
#include <string>

namespace tinyllm::agent {

/// Why a plan or a step is refused. The order is the precedence: of several reasons the first one is given.
enum class Code : uint8_t {
  bad_plan,
  op_not_allowed,
  root_itself,
  outside_root,
  bad_path,
  protected_path,
  denied_pattern,
  hidden,
  bad_name,
  symlink,
  not_regular,
  other_filesystem,
  not_found,
  exists,
  not_empty,
  encoding,
  too_large,
  bad_archive,
  max_batch,
  changed_since_plan,
  changed_since_run,
  permission,
  no_space,
  io,
  busy,
  not_confirmed,
  log_unwritable,
  log_tampered,
  backup_missing,
  nothing_to_undo
};
constexpr auto names(Code) {
  return std::array{"bad_plan",
                    "op_not_allowed",
                    "root_itself",
                    "outside_root",
                    "bad_path",
                    "protected",
                    "denied_pattern",
                    "hidden",
                    "bad_name",
                    "symlink",
                    "not_regular",
                    "other_filesystem",
                    "not_found",
                    "exists",
                    "not_empty",
                    "encoding",
                    "too_large",
                    "bad_archive",
                    "max_batch",
                    "changed_since_plan",
                    "changed_since_run",
                    "permission",
                    "no_space",
                    "io",
                    "busy",
                    "not_confirmed",
                    "log_unwritable",
                    "log_tampered",
                    "backup_missing",
                    "nothing_to_undo"};
}

/// An Error with a code that programs can tell apart.
class AgentError : public Error {
 public:
  template <class... Args>
  explicit AgentError(Code code, fmt::format_string<Args...> format, Args&&... args)
      : Error(format, std::forward<Args>(args)...), code_(code) {}

  Code code() const { return code_; }

 private:
  Code code_;
};

/// What a failed system call means: EEXIST is `exists`, ELOOP is `symlink`, and so on; `io` for what has no code.
Code code_of_errno(int error);
/// `<what>: <the system's words>`, with the code of `error`. `what` is already safe to print.
AgentError system_error(const std::string& what, int error);

}  // namespace tinyllm::agent
