#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// What a file must be to be taken. Every condition that is given must hold. Conditions on bytes, extension or content
/// hold for regular files alone.
struct Filters {
  std::vector<std::string> extensions;  ///< Without the dot, compared without case; empty for any.
  std::string contains;                 ///< Text in the first 1 MiB of a text file.
  std::string name_contains;
  std::optional<int64_t> larger_than, smaller_than;  ///< Bytes.
  std::optional<int64_t> older_than, newer_than;     ///< Nanoseconds since 1970, compared with the time of change.
  std::string type;                                  ///< "file", "folder" or empty.
  std::vector<std::string> except;                   ///< Paths or globs that are left alone.

  /// Whether a folder can never pass.
  bool files_only() const;
};

/// `50MB`, `1.5 GB`, `1024`: decimal prefixes count 1000, KiB, MiB and GiB count 1024. Throws AgentError, `bad_plan`.
int64_t parse_size(std::string_view text);
/// `30d`, `12h`, `8w`, `6m`, `1y` ago (months of 30 days, years of 365), or `2026-11-29` and `2026-11-29 14:30` by the
/// local clock, in nanoseconds since 1970. Throws AgentError, `bad_plan`.
int64_t parse_time(std::string_view text, int64_t now);

}  // namespace tinyllm::agent
