#include <tinyllm/tensor/base/cpu_limit.h>

#include <tinyllm/tensor/base/control_groups.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#ifdef __linux__
#include <sched.h>
#endif

namespace tinyllm {
namespace {

namespace fs = std::filesystem;

// "150000" of 100000 microseconds is 2 CPUs. Empty if there is no limit: "max", -1, or nothing.
std::optional<int> cpus_of(const std::string& quota, const std::string& period) {
  std::istringstream quota_text(quota), period_text(period);
  double used = 0, of = 0;
  if (!(quota_text >> used) || !(period_text >> of) || !(used > 0) || !(of > 0)) return std::nullopt;
  const double cpus = std::ceil(used / of);
  return cpus < std::numeric_limits<int>::max() ? std::optional(static_cast<int>(cpus)) : std::nullopt;
}

std::optional<int> limit_in(const fs::path& group) {
  std::string quota, period;
  if (std::ifstream both(group / "cpu.max"); both >> quota >> period) return cpus_of(quota, period);
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return cpus_of(quota, period);
}

}  // namespace

int affinity_cpus() {
#ifdef __linux__
  // The system call fails if the set has fewer bits than there are CPUs.
  constexpr size_t kMostSets = 64;
  for (size_t sets = 1; sets <= kMostSets; sets *= 2) {
    std::vector<cpu_set_t> cpus(sets);
    const size_t bytes = sets * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, cpus.data()) == 0) return std::max(1, CPU_COUNT_S(bytes, cpus.data()));
  }
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

std::optional<int> cgroup_cpus(const fs::path& root) {
  std::optional<int> least;
  for (const fs::path& group : control_groups("cpu", root)) {
    const std::optional<int> limit = limit_in(group);
    if (limit && (!least || *limit < *least)) least = limit;
  }
  return least;
}

}  // namespace tinyllm
