// The audit log: JSON lines, each with the hash of the one before. Not installed.
#pragma once

#include <tinyllm/runtime/agent/root.h>
#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace tinyllm::agent {

std::string sha256_hex(std::string_view bytes);

/// The end of a log: the number of its last line and the hash of that line.
struct AuditHead {
  int64_t lines = 0;
  std::string hash;
};

/// Appends to a log, which other agents may append to as well. Each line is
///   {..., "line": 7, "prev": "<hash of line 6>", "hash": "<hash>"}
/// where the hash is SHA-256 of the line without `,"hash":"..."`. Whoever changes, adds or drops a line changes every
/// hash after it; whoever cuts the end is found by a head that is kept elsewhere.
class AuditLog {
 public:
  /// Throws AgentError: `log_unwritable` when the log cannot be opened or made, `log_tampered` when it does not end
  /// with `known`, a head that was kept elsewhere, or go on from it.
  AuditLog(const std::filesystem::path& path, const AuditHead& known);

  const std::filesystem::path& path() const { return path_; }
  int handle() const { return file_.get(); }
  /// Appends a line, which is on the disk when the function returns. Throws AgentError with `log_unwritable`.
  void append(Json entry);
  const AuditHead& head() const { return head_; }

 private:
  void read_end();

  std::filesystem::path path_;
  Handle file_;
  AuditHead head_;
};

/// Checks a log from its first line to its last. Returns its head. Throws AgentError with `log_tampered` that names the
/// first line that is wrong, also when the log ends before `known` or differs from it.
AuditHead verify_log(const std::filesystem::path& path, const AuditHead& known);

}  // namespace tinyllm::agent
