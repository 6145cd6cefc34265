#pragma once

#include <filesystem>
#include <optional>

namespace tinyllm {

/// CPUs that the calling thread's affinity allows, at least 1.
int affinity_cpus();

/// CPU time that control groups grant this process, in CPUs, rounded up to at least 1: the least limit of its group and
/// of the groups above, of version 1 (`cpu.cfs_quota_us`, `cpu.cfs_period_us`) or 2 (`cpu.max`). Empty if there is no
/// limit, or if it cannot be read. `root` is the folder that contains `proc` and `sys`, for tests. Source: the Linux
/// kernel's Documentation/admin-guide/cgroup-v1 and cgroup-v2.rst.
std::optional<int> cgroup_cpus(const std::filesystem::path& root = "/");

}  // namespace tinyllm
