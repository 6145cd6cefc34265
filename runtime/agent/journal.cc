#include <tinyllm/runtime/agent/journal.h>

#include <tinyllm/runtime/agent/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>

namespace tinyllm::agent {
namespace {

constexpr size_t kMaxRequest = 1000;
constexpr size_t kMaxJournal = size_t{1} << 30;

Json json_of(const Identity& id) { return {id.device, id.inode, id.size, id.modified, static_cast<int>(id.kind)}; }

Identity identity_of(const Json& json) {
  Identity id;
  id.device = json.at(0).get<uint64_t>();
  id.inode = json.at(1).get<uint64_t>();
  id.size = json.at(2).get<int64_t>();
  id.modified = json.at(3).get<int64_t>();
  id.kind = static_cast<Kind>(json.at(4).get<int>());
  return id;
}

Json json_of(const Move& move) {
  Json json = {{"from", escaped(move.from)}, {"to", escaped(move.to)}, {"what", json_of(move.what)}};
  if (move.exchange) json["other"] = json_of(move.other);
  if (move.undoes_step >= 0) json["undoes"] = {move.undoes_step, move.undoes_move};
  return json;
}

Move move_of(const Json& json) {
  Move move;
  move.from = unescaped(json.at("from").get<std::string>());
  move.to = unescaped(json.at("to").get<std::string>());
  move.what = identity_of(json.at("what"));
  move.exchange = json.contains("other");
  if (move.exchange) move.other = identity_of(json.at("other"));
  if (json.contains("undoes")) {
    move.undoes_step = json.at("undoes").at(0).get<int64_t>();
    move.undoes_move = json.at("undoes").at(1).get<int64_t>();
  }
  return move;
}

Json json_of(const std::vector<FolderTime>& folders) {
  Json list = Json::array();
  for (const FolderTime& folder : folders) list.push_back({escaped(folder.path), folder.inode, folder.modified});
  return list;
}

std::vector<FolderTime> folders_of(const Json& list) {
  std::vector<FolderTime> folders;
  for (const Json& each : list) {
    folders.push_back(
        {unescaped(each.at(0).get<std::string>()), each.at(1).get<uint64_t>(), each.at(2).get<int64_t>()});
  }
  return folders;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc)};
}

void append_to(int file, const std::string& name, const Json& record) {
  const std::string line = record.dump() + "\n";
  const off_t end = lseek(file, 0, SEEK_END);
  for (size_t at = 0; at < line.size();) {
    const ssize_t written = write(file, line.data() + at, line.size() - at);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      // A cut line would make the next one unreadable.
      [[maybe_unused]] const int result = ftruncate(file, end);
      throw system_error(name, error);
    }
    at += static_cast<size_t>(written);
  }
  if (fdatasync(file) != 0) throw system_error(name, errno);
}

void add_record(const Json& record, RunRecord& run) {
  const std::string kind = record.at("kind").get<std::string>();
  if (kind == "begin") {
    run.request = record.at("request").get<std::string>();
    run.time = record.at("time").get<std::string>();
    run.undoes = record.at("undoes").get<int64_t>();
  } else if (kind == "intent") {
    StepRecord& step = run.steps.emplace_back();
    for (const Json& move : record.at("moves")) step.moves.push_back(move_of(move));
    step.before = folders_of(record.at("before"));
    step.restore = folders_of(record.at("restore"));
  } else if (kind == "done") {
    StepRecord& step = run.steps.at(run.steps.size() - 1);
    step.done = true;
    step.after = folders_of(record.at("after"));
    for (const Json& each : record.at("failed")) step.failed.insert(each.get<int64_t>());
  } else if (kind == "commit") {
    run.status = RunRecord::Status::committed;
  } else if (kind == "rolled_back") {
    run.status = RunRecord::Status::rolled_back;
  } else {
    throw Error("{} is not a kind of record", shortened(kind));
  }
}

}  // namespace

Journal::Journal(const Root& root, int64_t run, std::string_view request, int64_t undoes)
    : name_(State::journal_path(run)),
      file_(openat(root.parent(name_).get(), std::string(base_name(name_)).c_str(),
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)) {
  if (!file_) throw system_error(name_, errno);
  append({{"kind", "begin"},
          {"request", replace_invalid_utf8(request.substr(0, character_cut(request, kMaxRequest)))},
          {"time", utc_now()},
          {"undoes", undoes}});
  const Handle folder = root.folder(parent_of(name_), O_RDONLY);
  if (fsync(folder.get()) != 0) throw system_error(name_, errno);
}

void Journal::append(const Json& record) { append_to(file_.get(), name_, record); }

void Journal::intend(const StepRecord& step) {
  Json moves = Json::array();
  for (const Move& move : step.moves) moves.push_back(json_of(move));
  append({{"kind", "intent"}, {"moves", moves}, {"before", json_of(step.before)}, {"restore", json_of(step.restore)}});
}

void Journal::done(const StepRecord& step) {
  append({{"kind", "done"}, {"after", json_of(step.after)}, {"failed", step.failed}});
}

void Journal::commit() { append({{"kind", "commit"}}); }

void Journal::rolled_back(const Root& root, int64_t run) {
  const std::string name = State::journal_path(run);
  const Handle file(
      openat(root.parent(name).get(), std::string(base_name(name)).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!file) throw system_error(name, errno);
  // What was cut off by a crash goes first.
  const std::string text = read_text(file.get(), kMaxJournal, name);
  const size_t whole = text.rfind('\n') + 1;
  if (ftruncate(file.get(), static_cast<off_t>(whole)) != 0) throw system_error(name, errno);
  append_to(file.get(), name, {{"kind", "rolled_back"}});
}

RunRecord Journal::read(const Root& root, int64_t run) {
  const std::string name = State::journal_path(run);
  const std::string text = read_text(root.file(name).get(), kMaxJournal, name);
  RunRecord record;
  record.run = run;
  size_t number = 0;
  for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != text.npos; begin = end + 1) {
    ++number;
    try {
      add_record(parse_json_object(std::string_view(text).substr(begin, end - begin), "a record"), record);
    } catch (const std::exception& error) {
      throw AgentError(Code::io, "{}: line {}: {}", name, number, error.what());
    }
  }
  return record;
}

}  // namespace tinyllm::agent
