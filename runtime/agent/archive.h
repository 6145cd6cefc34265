// Archives through libarchive, with limits. Not installed.
#pragma once

#include <tinyllm/runtime/agent/root.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

inline constexpr size_t kMaxEntries = 10'000;
inline constexpr int64_t kMaxUnpacked = int64_t{200} << 20;
/// Unpacked bytes for each byte of the archive, beyond the first megabyte.
inline constexpr int64_t kMaxRatio = 100;

/// Whether a name ends as an archive that can be written: .zip, .tar, .tar.gz, .tgz, .tar.xz, .tar.zst.
bool is_archive_name(std::string_view name);

struct ArchiveEntry {
  std::string name;
  bool is_folder = false;
  int64_t size = 0;
};

/// Calls `visit` for each entry, in order, and `data` with its bytes. Throws AgentError: `bad_archive` for damage,
/// passwords and other formats, `too_large` beyond the limits, `symlink` for links, `not_regular` for devices. `name`
/// is for messages.
void read_archive(int file, std::string_view name, const std::function<void(const ArchiveEntry&)>& visit,
                  const std::function<void(std::span<const char>)>& data);

/// One input of an archive: an open file and its name there; a folder has no file.
struct ArchiveInput {
  std::string name;
  Identity identity;
  std::function<Handle()> open;
};
/// Writes an archive of the kind that `name` ends as. Returns its bytes. Throws AgentError.
int64_t write_archive(int file, std::string_view name, std::span<const ArchiveInput> inputs);

}  // namespace tinyllm::agent
