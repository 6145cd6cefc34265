#include <tinyllm/runtime/agent/state.h>

#include <tinyllm/runtime/agent/names.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>

namespace tinyllm::agent {
namespace {

constexpr const char* kJournals = "journal";
constexpr const char* kBackups = "backup";
constexpr const char* kLock = "lock";

Handle need_folder(int above, const char* name) {
  if (mkdirat(above, name, 0700) != 0 && errno != EEXIST) throw system_error(escaped(name), errno);
  Handle folder(openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder && errno == ENOTDIR) errno = ELOOP;
  if (!folder) throw system_error(escaped(name), errno);
  struct stat status {};
  if (fstat(folder.get(), &status) != 0) throw system_error(escaped(name), errno);
  if (status.st_uid != geteuid() || (status.st_mode & 022) != 0) {
    throw AgentError(Code::permission, "{}: others can write it, expected a folder of this user alone", escaped(name));
  }
  return folder;
}

std::string numbered(int64_t run) { return fmt::format("{:06}", run); }

}  // namespace

void set_folder_time(const Root& root, const std::string& path, int64_t modified) {
  try {
    const Handle folder = root.folder(path, O_RDONLY);
    const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT},
                                           timespec{modified / 1'000'000'000, modified % 1'000'000'000}};
    // A folder that someone else owns keeps the time of now.
    [[maybe_unused]] const int result = futimens(folder.get(), times.data());
  } catch (const AgentError&) {
  }
}

std::unique_ptr<State> State::open(const Root& root, bool make) {
  const auto found = status_at(root.handle(), kFolder);
  if (!found && !make) return nullptr;
  const auto before = root.status("");
  std::unique_ptr<State> state(new State(root, need_folder(root.handle(), kFolder)));
  state->lock();
  need_folder(state->folder(), kJournals);
  need_folder(state->folder(), kBackups);
  // The state is not part of what the person keeps in the root, nor is the time at which it was made.
  if (!found && before) set_folder_time(root, "", before->modified);
  return state;
}

void State::lock() {
  lock_ = Handle(openat(folder_.get(), kLock, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock_) throw system_error(fmt::format("{}/{}", kFolder, kLock), errno);
  int result = 0;
  do {
    result = flock(lock_.get(), LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  if (result != 0 && errno == EWOULDBLOCK) {
    std::array<char, 64> who{};
    const ssize_t size = pread(lock_.get(), who.data(), who.size(), 0);
    throw AgentError(Code::busy, "root {}: busy {}", escaped(root_.path()),
                     escaped({who.data(), size > 0 ? static_cast<size_t>(size) : 0}));
  }
  if (result != 0) throw system_error("the lock of " + escaped(root_.path()), errno);
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> time{};
  std::strftime(time.data(), time.size(), "%Y-%m-%d %H:%M", &local);
  const std::string text = fmt::format("since {}, process {}", time.data(), getpid());
  // Only a message depends on it, so that a full disk does not keep an agent from rolling back.
  if (ftruncate(lock_.get(), 0) == 0) {
    [[maybe_unused]] const ssize_t written = pwrite(lock_.get(), text.data(), text.size(), 0);
  }
}

std::vector<int64_t> State::runs() const {
  std::vector<int64_t> runs;
  for (const auto& [name, identity] : root_.entries(fmt::format("{}/{}", kFolder, kJournals))) {
    int64_t run = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), run);
    if (error == std::errc() && run > 0 && name == numbered(run) + ".jsonl") runs.push_back(run);
  }
  std::sort(runs.begin(), runs.end());
  return runs;
}

int64_t State::next_run() {
  if (last_run_ < 0) {
    const auto all = runs();
    last_run_ = all.empty() ? 0 : all.back();
  }
  return ++last_run_;
}

std::string State::journal_path(int64_t run) {
  return fmt::format("{}/{}/{}.jsonl", kFolder, kJournals, numbered(run));
}
std::string State::backup_path(int64_t run) { return fmt::format("{}/{}/{}", kFolder, kBackups, numbered(run)); }
std::string State::backup_path(int64_t run, int64_t slot) { return fmt::format("{}/{}", backup_path(run), slot); }

Handle State::make_backup(int64_t run) const {
  const Handle backups = root_.folder(fmt::format("{}/{}", kFolder, kBackups), O_RDONLY);
  return need_folder(backups.get(), numbered(run).c_str());
}

void State::drop_backup(int64_t run) const {
  const std::string top = backup_path(run);
  if (!root_.status(top)) return;
  // Deepest first, with a list instead of recursion.
  std::vector<std::string> folders = {top};
  for (size_t i = 0; i < folders.size(); ++i) {
    const std::string folder = folders[i];
    for (const auto& [name, identity] : root_.entries(folder)) {
      if (identity.kind == Kind::folder) {
        folders.push_back(joined(folder, name));
      } else if (unlinkat(root_.folder(folder, O_PATH).get(), name.c_str(), 0) != 0 && errno != ENOENT) {
        throw system_error(escaped(joined(folder, name)), errno);
      }
    }
  }
  for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder) {
    if (unlinkat(root_.parent(*folder).get(), std::string(base_name(*folder)).c_str(), AT_REMOVEDIR) != 0 &&
        errno != ENOENT) {
      throw system_error(escaped(*folder), errno);
    }
  }
}

}  // namespace tinyllm::agent
