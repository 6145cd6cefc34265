#include <doctest/doctest.h>

#include <tinyllm/tensor/base/cpu_limit.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/thread_pool.h>

#include "temp_folder.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sched.h>

namespace tinyllm::test {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

std::optional<int> cpus_with(const Files& files) {
  const TempFolder root;
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = root / name;
    make_folder(path.parent_path());
    write_file(path, text);
  }
  return cgroup_cpus(root.path());
}

const std::optional<int> kNoLimit;

}  // namespace

TEST_CASE("the CPU quota of control groups is rounded up, and the least of a group and those above counts") {
  const auto with = [](const char* cpu_max) {
    return cpus_with({{"proc/self/cgroup", "0::/\n"}, {"sys/fs/cgroup/cpu.max", cpu_max}});
  };
  CHECK(cpus_with({}) == kNoLimit);
  CHECK(with("150000 100000\n") == 2);
  CHECK(with("1000 100000\n") == 1);
  CHECK(with("max 100000\n") == kNoLimit);
  CHECK(with("nonsense\n") == kNoLimit);
  CHECK(with("100 0\n") == kNoLimit);
  CHECK(with("1e300 1\n") == kNoLimit);
  CHECK(cpus_with({{"proc/self/cgroup", "0::/a/b\n"},
                   {"sys/fs/cgroup/a/b/cpu.max", "max 100000\n"},
                   {"sys/fs/cgroup/a/cpu.max", "300000 100000\n"},
                   {"sys/fs/cgroup/cpu.max", "800000 100000\n"}}) == 3);
}

TEST_CASE("control groups of version 1 are read, also as a container sees them") {
  const auto with = [&](const std::string& group, const char* quota) {
    const std::string folder = "sys/fs/cgroup/cpu,cpuacct/" + group;
    return cpus_with({{"proc/self/cgroup", "5:memory:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/docker/1\n"},
                      {folder + "cpu.cfs_quota_us", quota},
                      {folder + "cpu.cfs_period_us", "100000\n"}});
  };
  CHECK(with("docker/1/", "250000\n") == 3);
  CHECK(with("", "250000\n") == 3);
  CHECK(with("", "-1\n") == kNoLimit);
}

TEST_CASE("a process uses no more threads than its affinity, its control groups and the pool allow") {
  const TempFolder root;
  CHECK(usable_threads(root.path()) == std::min(affinity_cpus(), ThreadPool::kMaxThreads));
  make_folder(root / "proc/self");
  make_folder(root / "sys/fs/cgroup");
  write_file(root / "proc/self/cgroup", "0::/\n");
  write_file(root / "sys/fs/cgroup/cpu.max", "50000 100000");
  CHECK(usable_threads(root.path()) == 1);
  int found = 0;
  std::thread([&] {  // Affinity belongs to a thread.
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all) != 0) return;
    CPU_ZERO(&one);
    for (size_t cpu = 0; CPU_COUNT(&one) == 0; ++cpu) {
      if (CPU_ISSET(cpu, &all)) CPU_SET(cpu, &one);
    }
    if (sched_setaffinity(0, sizeof one, &one) == 0) found = affinity_cpus();
  })
      .join();
  CHECK(found == 1);
}

}  // namespace tinyllm::test
