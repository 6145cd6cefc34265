#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/memory_limit.h>

#include "temp_folder.h"

#include <string>
#include <utility>
#include <vector>

namespace tinyllm::test {
namespace {

std::optional<int64_t> available_with(const std::vector<std::pair<std::string, std::string>>& files) {
  const TempFolder root;
  for (const auto& [name, text] : files) {
    const std::filesystem::path path = root / name;
    make_folder(path.parent_path());
    write_file(path, text);
  }
  return available_memory(root.path());
}

const std::pair<std::string, std::string> kMemory = {"proc/meminfo", "MemTotal: 900 kB\nMemAvailable:     500 kB\n"};

}  // namespace

TEST_CASE("the memory that is available is the system's, or less if a control group leaves less") {
  CHECK(!available_with({}));
  CHECK(available_with({kMemory}) == 500 * 1024);
  const auto with = [](const char* limit) {
    return available_with({kMemory,
                           {"proc/self/cgroup", "0::/a\n"},
                           {"sys/fs/cgroup/a/memory.max", limit},
                           {"sys/fs/cgroup/a/memory.current", "70000\n"},
                           {"sys/fs/cgroup/a/memory.stat", "anon 30000\ninactive_file 15000\nactive_file 5000\n"}});
  };
  CHECK(with("max\n") == 500 * 1024);
  CHECK(with("9000000\n") == 500 * 1024);
  CHECK(with("100000\n") == 50000);
  CHECK(with("10000\n") == 0);
}

TEST_CASE("memory limits of control groups of version 1, and of groups above, count too") {
  const std::pair<std::string, std::string> groups = {"proc/self/cgroup", "5:memory:/docker/1\n4:cpu:/docker/1\n"};
  CHECK(available_with({kMemory,
                        groups,
                        {"sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "90000\n"},
                        {"sys/fs/cgroup/memory/docker/memory.usage_in_bytes", "50000\n"},
                        {"sys/fs/cgroup/memory/docker/memory.stat",
                         "inactive_file 0\nactive_file 1000\ntotal_inactive_file 15000\ntotal_active_file 5000\n"},
                        {"sys/fs/cgroup/cpu/docker/memory.limit_in_bytes", "1\n"},
                        {"sys/fs/cgroup/cpu/docker/memory.usage_in_bytes", "0\n"}}) == 60000);
}

TEST_CASE("this machine has memory to give") { CHECK(available_memory().value_or(1) > 0); }

}  // namespace tinyllm::test
