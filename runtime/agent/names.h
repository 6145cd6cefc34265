#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// The form in which names are compared with patterns: NFKC with case folding (Unicode TR31, `nfkc_cf`), so that case,
/// width, composed and decomposed letters and invisible characters make no difference. Bytes that are not UTF-8 count
/// as U+FFFD.
std::string folded(std::string_view name);

/// A name or a path in one line of printable UTF-8: control and direction characters, backslashes and bytes that are
/// not UTF-8 become `\n`, `\\`, `\x1b`.
std::string escaped(std::string_view bytes);
/// The bytes again. Throws Error on an escape that `escaped` does not write.
std::string unescaped(std::string_view text);

/// The parts between slashes, without empty ones.
std::vector<std::string_view> split_path(std::string_view path);
/// The part after the last slash, and what is before it.
std::string_view base_name(std::string_view path);
std::string_view parent_of(std::string_view path);
std::string joined(std::string_view folder, std::string_view name);
/// Whether `path` is `folder` or below it.
bool is_within(std::string_view path, std::string_view folder);
/// `report.tar` and `.gz`: the extension has its dot, and is empty in `README` and `.env`.
std::string_view extension_of(std::string_view name);

/// Why a new name would not work everywhere: `< > : " | ? * \`, control characters, reserved names of Windows, a dot or
/// a blank at the end. Empty if it would.
std::string portability_problem(std::string_view name);
/// Longest name of a file in bytes, on every usual file system of Linux.
inline constexpr size_t kMaxName = 255;

/// A glob over a whole relative path: `*` and `?` stop at a slash, `**` between slashes is any number of folders,
/// `[a-c]` and `[!x]` are sets. A `**` at the end is one part or more.
class Glob {
 public:
  /// Throws AgentError with `bad_plan` when the pattern is empty, too long or has an open set.
  explicit Glob(std::string_view pattern);

  bool matches(const std::vector<std::string_view>& path) const;
  bool matches(std::string_view path) const { return matches(split_path(path)); }
  /// Whether something below this folder could match.
  bool may_match_below(const std::vector<std::string_view>& folder) const;
  /// The folders before the first part that has a wildcard.
  const std::string& literal_folder() const { return literal_folder_; }
  /// Whether the pattern ends in `**`.
  bool takes_everything_below() const { return parts_.back() == "**"; }
  size_t size() const { return parts_.size(); }
  const std::vector<std::string>& parts() const { return parts_; }

 private:
  std::vector<std::string> parts_;
  std::string literal_folder_;
};

/// Whether one name matches one part of a glob.
bool name_matches(std::string_view pattern, std::string_view name);

}  // namespace tinyllm::agent
