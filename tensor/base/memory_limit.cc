#include <tinyllm/tensor/base/memory_limit.h>

#include <tinyllm/tensor/base/control_groups.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace tinyllm {
namespace {

namespace fs = std::filesystem;

// A number of a file with names and numbers.
std::optional<int64_t> named_number(const fs::path& path, const std::string& wanted) {
  std::ifstream file(path);
  for (std::string name, rest; file >> name && std::getline(file, rest);) {
    if (name == wanted) return std::atoll(rest.c_str());
  }
  return std::nullopt;
}

std::optional<int64_t> number(const fs::path& path) {
  int64_t value = 0;
  if (!(std::ifstream(path) >> value)) return std::nullopt;  // None, or "max".
  return value;
}

std::optional<int64_t> left_in(const fs::path& group) {
  // In version 1, plain names of memory.stat leave out the groups within this one.
  struct Version {
    const char *limit, *used, *inactive_files, *active_files;
  };
  for (const Version& version :
       {Version{"memory.max", "memory.current", "inactive_file", "active_file"},
        Version{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file", "total_active_file"}}) {
    const std::optional<int64_t> limit = number(group / version.limit), used = number(group / version.used);
    if (!limit || !used) continue;
    int64_t files = 0;
    for (const char* name : {version.inactive_files, version.active_files}) {
      files += named_number(group / "memory.stat", name).value_or(0);
    }
    return std::max<int64_t>(0, *limit - *used + std::min(files, *used));
  }
  return std::nullopt;
}

}  // namespace

std::optional<int64_t> available_memory(const fs::path& root) {
  std::optional<int64_t> least = named_number(root / "proc/meminfo", "MemAvailable:");
  if (least) *least *= 1024;
  for (const fs::path& group : control_groups("memory", root)) {
    const std::optional<int64_t> left = left_in(group);
    if (left && (!least || *left < *least)) least = left;
  }
  return least;
}

}  // namespace tinyllm
