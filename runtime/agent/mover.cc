#include <tinyllm/runtime/agent/mover.h>

#include <tinyllm/runtime/agent/names.h>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <set>

namespace tinyllm::agent {
namespace {

constexpr size_t kMostSyncs = 16;  // Above, all of the file system is synced at once.

bool is_state(std::string_view path) { return is_within(path, State::kFolder); }

int rename_at(int from, const std::string& old_name, int to, const std::string& new_name, unsigned flags) {
  return static_cast<int>(syscall(SYS_renameat2, from, old_name.c_str(), to, new_name.c_str(), flags));
}

std::string described(const std::string& path) {
  return is_state(path) ? "the backup " + escaped(path) : escaped(path);
}

}  // namespace

Move reversed(const Move& move) {
  Move back = move;
  if (!move.exchange) std::swap(back.from, back.to);
  if (move.exchange) std::swap(back.what, back.other);
  return back;
}

void Mover::make(const Move& move) const {
  const Handle from = root_.parent(move.from), to = root_.parent(move.to);
  const std::string old_name(base_name(move.from)), new_name(base_name(move.to));
  const auto check = [](const std::optional<Identity>& found, const Identity& expected, const std::string& path) {
    if (found && found->is_same_content(expected)) return;
    throw AgentError(Code::changed_since_plan, "{}: {} since the dry run", described(path),
                     found ? "has changed" : "has gone");
  };
  check(status_at(from.get(), old_name), move.what, move.from);
  if (move.exchange) check(status_at(to.get(), new_name), move.other, move.to);
  const unsigned flags = move.exchange ? RENAME_EXCHANGE : RENAME_NOREPLACE;
  at("before rename");
  if (rename_at(from.get(), old_name, to.get(), new_name, flags) != 0) {
    if (errno == EINVAL) {
      throw AgentError(Code::io, "{}: the file system cannot rename without replacing", described(move.to));
    }
    throw system_error(described(errno == EEXIST ? move.to : move.from), errno);
  }
  at("after rename");
  // A neighbour may have changed the name between the check and the rename.
  const auto came = status_at(to.get(), new_name);
  const auto went = move.exchange ? status_at(from.get(), old_name) : std::nullopt;
  const bool is_right =
      came && came->is_same_content(move.what) && (!move.exchange || (went && went->is_same_object(move.other)));
  if (is_right) return;
  const bool is_back = rename_at(to.get(), new_name, from.get(), old_name, flags) == 0;
  throw AgentError(Code::changed_since_plan, "{}: has changed since the dry run{}", described(move.from),
                   is_back ? "" : ", and could not be put back from " + described(move.to));
}

void Mover::take_back(const Move& move) const {
  // A folder that is not there holds nothing that was moved.
  const auto there = [this](const std::string& path) { return root_.status(path); };
  const auto at_to = there(move.to), at_from = there(move.from);
  if (!at_to || !at_to->is_same_object(move.what)) {
    const bool never_made = at_from && at_from->is_same_object(move.what);
    if (never_made) return;
    throw AgentError(Code::changed_since_run, "{}: has gone", described(move.to));
  }
  if (move.exchange) {
    if (!at_from || !at_from->is_same_object(move.other)) {
      throw AgentError(Code::backup_missing, "{}: has gone", described(move.from));
    }
  } else if (at_from) {
    throw AgentError(Code::exists, "{}: something else is there now", described(move.from));
  }
  Move back = reversed(move);
  // What was edited meanwhile is still the person's object, and goes back as it is.
  back.what = move.exchange ? *at_from : *at_to;
  back.other = *at_to;
  make(back);
}

void Mover::take_back(const StepRecord& step, std::vector<std::string>& problems) const {
  for (auto move = step.moves.rbegin(); move != step.moves.rend(); ++move) {
    const auto index = step.moves.rend() - move - 1;
    if (step.failed.contains(index)) continue;
    try {
      take_back(*move);
    } catch (const AgentError& error) {
      problems.push_back(error.what());
    }
  }
  restore(step.before);
}

std::vector<std::string> Mover::take_back(const RunRecord& run) const {
  std::vector<std::string> problems;
  for (auto step = run.steps.rbegin(); step != run.steps.rend(); ++step) take_back(*step, problems);
  return problems;
}

std::vector<FolderTime> Mover::folder_times(std::span<const Move> moves) const {
  std::set<std::string, std::less<>> folders;
  for (const Move& move : moves) {
    for (const std::string& path : {move.from, move.to}) {
      if (!is_state(path)) folders.emplace(parent_of(path));
    }
  }
  std::vector<FolderTime> times;
  for (const std::string& folder : folders) {
    // None: a folder that this step makes.
    if (const auto status = root_.status(folder)) times.push_back({folder, status->inode, status->modified});
  }
  return times;
}

void Mover::restore(std::span<const FolderTime> times) const {
  for (const FolderTime& time : times) {
    std::optional<Identity> status;
    try {
      status = root_.status(time.path);
    } catch (const AgentError&) {
      continue;
    }
    if (status && status->inode == time.inode && status->modified != time.modified) {
      set_folder_time(root_, time.path, time.modified);
    }
  }
}

void Mover::sync(std::span<const Move> moves) const {
  std::set<std::string, std::less<>> folders;
  for (const Move& move : moves) {
    folders.emplace(parent_of(move.from));
    folders.emplace(parent_of(move.to));
  }
  if (folders.size() > kMostSyncs) {
    const Handle top = root_.folder("", O_RDONLY);
    if (syncfs(top.get()) != 0) throw system_error(escaped(root_.path()), errno);
    return;
  }
  for (const std::string& path : folders) {
    // Moved or removed by a later move, or not readable: its names are synced with the folder's own.
    Handle folder;
    try {
      folder = root_.folder(path, O_RDONLY);
    } catch (const AgentError&) {
      continue;
    }
    if (fsync(folder.get()) != 0 && errno != EINVAL) throw system_error(described(path), errno);
  }
}

}  // namespace tinyllm::agent
