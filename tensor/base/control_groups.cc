#include <tinyllm/tensor/base/control_groups.h>

#include <fmt/format.h>

#include <fstream>
#include <string>

namespace tinyllm {

namespace fs = std::filesystem;

std::vector<fs::path> control_groups(std::string_view controller, const fs::path& root) {
  std::vector<fs::path> folders;
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:/path
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);  // Version 2 has none.
    const bool is_wanted = fmt::format(",{},", controllers).find(fmt::format(",{},", controller)) != std::string::npos;
    if (!controllers.empty() && !is_wanted) continue;
    const fs::path mounts = root / "sys/fs/cgroup";
    for (const fs::path& mount : {mounts, mounts / "unified", mounts / controller, mounts / controllers}) {
      // A container sees its own group as the root of the mount, whatever the path says.
      for (fs::path group = fs::path(line.substr(second + 1)).relative_path();; group = group.parent_path()) {
        folders.push_back(mount / group);
        if (group.empty()) break;
      }
    }
  }
  return folders;
}

}  // namespace tinyllm
