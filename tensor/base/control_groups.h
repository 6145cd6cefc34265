#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Where the control groups that may limit this process keep their files: its own group and those above, of version 2
/// and of the `controller` ("cpu", "memory") of version 1. Some may not exist. `root` is the folder that contains
/// `proc` and `sys`. Source: the Linux kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
std::vector<std::filesystem::path> control_groups(std::string_view controller, const std::filesystem::path& root);

}  // namespace tinyllm
