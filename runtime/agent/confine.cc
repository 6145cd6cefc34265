#include <tinyllm/runtime/agent/confine.h>

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/runtime/agent/root.h>

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// The headers of Debian 12 are older than its kernel may be.
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

namespace tinyllm::agent {
namespace {

constexpr uint64_t kFirst = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;  // Every right of the first version.

void allow(int rules, int folder, uint64_t rights) {
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = folder;
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    throw system_error("Landlock", errno);
  }
}

}  // namespace

bool confine(int root, const std::filesystem::path& log_folder) {
  const long version = syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  // Without REFER nothing could move between folders.
  if (version < 2) return false;
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = kFirst | LANDLOCK_ACCESS_FS_REFER | (version >= 3 ? LANDLOCK_ACCESS_FS_TRUNCATE : 0);
  const Handle rules(static_cast<int>(syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!rules) throw system_error("Landlock", errno);
  // Nothing there is ever run.
  allow(rules.get(), root, attributes.handled_access_fs & ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE});
  const Handle log(open(log_folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!log) throw system_error(escaped(log_folder.string()), errno);
  allow(rules.get(), log.get(),
        attributes.handled_access_fs &
            (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE));
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) {
    throw system_error("Landlock", errno);
  }
  return true;
}

}  // namespace tinyllm::agent
