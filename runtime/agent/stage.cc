#include <tinyllm/runtime/agent/stage.h>

#include <tinyllm/runtime/agent/archive.h>
#include <tinyllm/runtime/agent/names.h>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace tinyllm::agent {
namespace {

constexpr uint32_t kFileMode = 0666;  // As the umask allows.
constexpr int64_t kMostSyncs = 16;    // Of single files; above, all of the file system is synced at once.

void write_all(int file, std::string_view bytes, const std::string& name) {
  while (!bytes.empty()) {
    const ssize_t written = write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error(escaped(name), errno);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

// Access lists and labels; a file system without them has none to lose.
void copy_attributes(int from, int to) {
  std::array<char, 1 << 16> names{}, value{};
  const ssize_t size = flistxattr(from, names.data(), names.size());
  for (ssize_t at = 0; at < size;) {
    const char* name = names.data() + at;
    const ssize_t length = fgetxattr(from, name, value.data(), value.size());
    if (length >= 0) [[maybe_unused]]
      const int result = fsetxattr(to, name, value.data(), static_cast<size_t>(length), 0);
    at += static_cast<ssize_t>(std::string_view(name).size()) + 1;
  }
}

void set_time(int file, int64_t modified) {
  const std::array<timespec, 2> times = {timespec{0, UTIME_OMIT},
                                         timespec{modified / 1'000'000'000, modified % 1'000'000'000}};
  if (futimens(file, times.data()) != 0) throw system_error("time of a copy", errno);
}

}  // namespace

void check_bytes(const Root& root, const std::string& path, const std::string& bytes) {
  if (read_text(root.file(path).get(), bytes.size() + 1, path) == bytes) return;
  throw AgentError(Code::changed_since_plan, "{}: does not have the bytes that were written", escaped(path));
}

Stage::Stage(const Root& root, int64_t run, Handle backup, const FailPoint& at)
    : root_(root), run_(run), backup_(std::move(backup)), at_(at) {}

StepRecord Stage::prepare(const StepPreview& step, const std::map<uint64_t, Source>& known) {
  known_ = &known;
  step_ = {};
  moved_.clear();
  for (const Action& action : step.actions) {
    if (!action.permuted) prepare(action);
  }
  // All aside first, so that every new name is free.
  std::vector<std::pair<std::string, std::string>> aside;
  for (const Action& action : step.actions) {
    if (!action.permuted) continue;
    const std::string slot = next_slot();
    move(action.from, slot, object_at(action.from));
    aside.emplace_back(slot, action.to);
  }
  for (const auto& [slot, to] : aside) move(slot, to, object_at(slot));
  if (unsynced_ > kMostSyncs && syncfs(backup_.get()) != 0) throw system_error("backup", errno);
  unsynced_ = 0;
  return std::move(step_);
}

void Stage::prepare(const Action& action) {
  switch (action.kind) {
    case Action::Kind::make_folder: {
      // Someone else may have made it since the dry run, which is as good.
      const auto there = root_.status(action.to);
      if (there && there->kind == Kind::folder) return;
      const New made = folder();
      return move(made.path, action.to, made.identity);
    }
    case Action::Kind::write: {
      const New made = written(*action.content, action.to);
      return move(made.path, action.to, made.identity);
    }
    case Action::Kind::replace:
      return exchange(replacement(*action.content, action.to), action.to);
    case Action::Kind::copy: {
      const New made = copied(action.from);
      return move(made.path, action.to, made.identity);
    }
    case Action::Kind::archive: {
      const New made = archived(action);
      return move(made.path, action.to, made.identity);
    }
    case Action::Kind::extract: {
      const std::vector<New> made = extracted(action);
      for (size_t i = 0; i < made.size(); ++i) move(made[i].path, action.extracted[i].second, made[i].identity);
      return;
    }
    case Action::Kind::move:
      return move(action.from, action.to, object_at(action.from));
    case Action::Kind::remove:
      return move(action.from, next_slot(), object_at(action.from));
    case Action::Kind::read:
      return;
  }
}

Identity Stage::object_at(const std::string& path) const {
  const auto moved = moved_.find(path);
  const std::optional<Identity> found = moved != moved_.end() ? moved->second : root_.status(path);
  if (!found) throw AgentError(Code::changed_since_plan, "{}: has gone since the dry run", escaped(path));
  const auto known = known_->find(found->inode);
  if (known == known_->end()) return *found;  // Made by this run.
  const Source& source = known->second;
  if (!source.is_folder && (source.size != found->size || source.modified != found->modified)) {
    throw AgentError(Code::changed_since_plan, "{}: has changed since the dry run", escaped(path));
  }
  return *found;
}

void Stage::move(const std::string& from, const std::string& to, const Identity& what) {
  step_.moves.push_back({.from = from, .to = to, .what = what});
  moved_[from] = std::nullopt;
  moved_[to] = what;
}

void Stage::exchange(const New& made, const std::string& path) {
  const Identity old = object_at(path);
  step_.moves.push_back({.exchange = true, .from = made.path, .to = path, .what = made.identity, .other = old});
  moved_[path] = made.identity;
  moved_[made.path] = old;
}

std::string Stage::next_slot() { return State::backup_path(run_, slots_++); }

Handle Stage::new_file(std::string& path, uint32_t mode) {
  path = next_slot();
  Handle file(openat(backup_.get(), std::string(base_name(path)).c_str(),
                     O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) throw system_error(path, errno);
  return file;
}

Identity Stage::finished(const Handle& file, const std::string& path) {
  if (++unsynced_ <= kMostSyncs && fsync(file.get()) != 0) throw system_error(path, errno);
  struct stat status {};
  if (fstat(file.get(), &status) != 0) throw system_error(path, errno);
  return identity_of(status);
}

Stage::New Stage::folder() {
  const std::string path = next_slot(), name(base_name(path));
  if (mkdirat(backup_.get(), name.c_str(), 0777) != 0) throw system_error(path, errno);
  if (at_) at_("after mkdir");
  return {path, *status_at(backup_.get(), name)};
}

Stage::New Stage::written(const std::string& bytes, std::string_view for_path) {
  New made;
  const Handle file = new_file(made.path, kFileMode);
  if (at_) at_("after create");
  write_all(file.get(), bytes, std::string(for_path));
  made.identity = finished(file, made.path);
  return made;
}

Stage::New Stage::replacement(const std::string& bytes, const std::string& path) {
  const Handle old = root_.file(path);
  struct stat status {};
  if (fstat(old.get(), &status) != 0) throw system_error(escaped(path), errno);
  New made;
  const Handle file = new_file(made.path, 0600);
  if (at_) at_("after create");
  write_all(file.get(), bytes, path);
  // Owner first: a change of owner drops bits of the mode.
  if ((status.st_uid != geteuid() || status.st_gid != getegid()) &&
      fchown(file.get(), status.st_uid, status.st_gid) != 0) {
    throw system_error(fmt::format("{}: its owner cannot be kept", escaped(path)), errno);
  }
  copy_attributes(old.get(), file.get());
  if (fchmod(file.get(), status.st_mode & 07777) != 0) throw system_error(escaped(path), errno);
  made.identity = finished(file, made.path);
  return made;
}

Stage::New Stage::copied(const std::string& from) {
  const Handle source = root_.file(from);
  struct stat before {
  }, after{};
  if (fstat(source.get(), &before) != 0) throw system_error(escaped(from), errno);
  New made;
  const Handle file = new_file(made.path, 0600);
  if (at_) at_("after create");
  std::array<char, 1 << 16> block;
  for (;;) {
    const ssize_t got = read(source.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(escaped(from), errno);
    if (got == 0) break;
    write_all(file.get(), {block.data(), static_cast<size_t>(got)}, from);
  }
  if (fstat(source.get(), &after) != 0) throw system_error(escaped(from), errno);
  if (!identity_of(before).is_same_content(identity_of(after))) {
    throw AgentError(Code::changed_since_plan, "{}: was changed while it was copied", escaped(from));
  }
  // A copy belongs to who made it: it does not become another user's program.
  if (fchmod(file.get(), before.st_mode & 0777) != 0) throw system_error(escaped(from), errno);
  set_time(file.get(), identity_of(before).modified);
  made.identity = finished(file, made.path);
  return made;
}

Stage::New Stage::archived(const Action& action) {
  std::vector<ArchiveInput> inputs;
  for (const std::string& path : action.inputs) {
    const Identity identity = object_at(path);
    inputs.push_back({path, identity, [this, path] { return root_.file(path); }});
  }
  New made;
  const Handle file = new_file(made.path, kFileMode);
  if (at_) at_("after create");
  write_archive(file.get(), action.to, inputs);
  made.identity = finished(file, made.path);
  return made;
}

std::vector<Stage::New> Stage::extracted(const Action& action) {
  object_at(action.from);
  const Handle archive = root_.file(action.from);
  std::vector<New> made;
  Handle file;
  const auto finish = [&] {
    if (file) made.back().identity = finished(file, made.back().path);
    file = Handle();
  };
  read_archive(
      archive.get(), action.from,
      [&](const ArchiveEntry& entry) {
        finish();
        if (entry.is_folder) return;
        if (made.size() == action.extracted.size() || action.extracted[made.size()].first != entry.name) {
          throw AgentError(Code::changed_since_plan, "{}: has changed since the dry run", escaped(action.from));
        }
        file = new_file(made.emplace_back().path, kFileMode);
        if (at_) at_("after create");
      },
      [&](std::span<const char> bytes) {
        write_all(file.get(), {bytes.data(), bytes.size()}, action.from);
      });
  finish();
  if (made.size() != action.extracted.size()) {
    throw AgentError(Code::changed_since_plan, "{}: has changed since the dry run", escaped(action.from));
  }
  return made;
}

}  // namespace tinyllm::agent
