// Taking runs back: an undo is a run of its own, whose moves are those of the other one backwards.
#include <tinyllm/runtime/agent/parts.h>
#include <tinyllm/tensor/base/names.h>

#include <algorithm>

namespace tinyllm::agent {
namespace {

bool is_backup(std::string_view path) { return is_within(path, State::kFolder); }

// The times of folders before a step, of those in which nothing has changed since that step: they get them back.
std::vector<FolderTime> unchanged(const StepRecord& step, const std::vector<FolderTime>& now) {
  std::vector<FolderTime> times;
  for (const FolderTime& before : step.before) {
    const auto time_in = [&before](const std::vector<FolderTime>& list) {
      const auto found =
          std::find_if(list.begin(), list.end(), [&](const FolderTime& each) { return each.inode == before.inode; });
      return found == list.end() ? std::nullopt : std::optional(found->modified);
    };
    const auto after = time_in(step.after);
    if (after && after == time_in(now)) times.push_back(before);
  }
  return times;
}

}  // namespace

std::map<int64_t, RunRecord> Agent::Parts::records() const {
  std::map<int64_t, RunRecord> records;
  if (!state) return records;
  for (const int64_t run : state->runs()) {
    RunRecord record = Journal::read(root, run);
    if (record.status == RunRecord::Status::committed) records.emplace(run, std::move(record));
  }
  return records;
}

Agent::Parts::Made Agent::Parts::in_effect(const std::map<int64_t, RunRecord>& records, int64_t run) {
  Made made;
  const RunRecord& record = records.at(run);
  for (size_t step = 0; step < record.steps.size(); ++step) {
    if (!record.steps[step].done) continue;
    for (size_t move = 0; move < record.steps[step].moves.size(); ++move) {
      if (!record.steps[step].failed.contains(static_cast<int64_t>(move))) made.emplace(step, move);
    }
  }
  // An undo comes after what it undoes, so that this ends.
  for (auto later = records.upper_bound(run); later != records.end(); ++later) {
    if (later->second.undoes != run) continue;
    for (const auto& [step, move] : in_effect(records, later->first)) {
      const Move& undo = later->second.steps[static_cast<size_t>(step)].moves[static_cast<size_t>(move)];
      made.erase({undo.undoes_step, undo.undoes_move});
    }
  }
  return made;
}

// Why a move that was made has to stay.
std::optional<AgentError> Agent::Parts::why_stays(const Move& move, int64_t run) const {
  try {
    const auto found = root.status(move.to);
    const bool is_folder = move.what.kind == Kind::folder;
    if (!found) {
      return AgentError(is_backup(move.to) ? Code::backup_missing : Code::changed_since_run, "{}: {}{} has gone",
                        escaped(is_backup(move.to) ? move.from : move.to), is_backup(move.to) ? "its backup " : "it",
                        is_backup(move.to) ? move.to : "");
    }
    if (!found->is_same_content(move.what)) {
      return AgentError(Code::changed_since_run, "{}: has changed since the run, and is left alone", escaped(move.to));
    }
    const auto old = root.status(move.from);
    if (move.exchange && (!old || !old->is_same_object(move.other))) {
      return AgentError(Code::backup_missing, "{}: its backup {} has gone", escaped(move.to), move.from);
    }
    if (!move.exchange && old) return AgentError(Code::exists, "{}: something else is there now", escaped(move.from));
    // A folder that the run made goes only if nothing has come into it.
    if (is_folder && is_within(move.from, State::backup_path(run)) && !root.entries(move.to).empty()) {
      return AgentError(Code::not_empty, "{}: has something in it, and stays", escaped(move.to));
    }
  } catch (const AgentError& error) {
    return error;
  }
  return std::nullopt;
}

Outcome Agent::Parts::take_back(int64_t run, const std::map<int64_t, RunRecord>& all) {
  const RunRecord& target = all.at(run);
  const Made made = in_effect(all, run);
  Outcome outcome;
  outcome.run = state->next_run();
  RunRecord done;
  done.run = outcome.run;
  Json line = entry("undo", "begins");
  line["run"] = outcome.run;
  line["undoes"] = run;
  log->append(std::move(line));
  mover.at("before begin");
  Journal journal(root, done.run, target.request, run);
  mover.at("after begin");
  size_t taken_back = 0;
  try {
    for (size_t number = target.steps.size(); number-- > 0;) {
      const StepRecord& old = target.steps[number];
      StepRecord step;
      for (size_t index = old.moves.size(); index-- > 0;) {
        if (!made.contains({static_cast<int64_t>(number), static_cast<int64_t>(index)})) continue;
        Move move = reversed(old.moves[index]);
        move.undoes_step = static_cast<int64_t>(number);
        move.undoes_move = static_cast<int64_t>(index);
        step.moves.push_back(move);
      }
      if (step.moves.empty()) continue;
      step.before = mover.folder_times(step.moves);
      step.restore = unchanged(old, step.before);
      StepRecord& kept = done.steps.emplace_back(std::move(step));
      mover.at("before intent");
      journal.intend(kept);
      mover.at("after intent");
      for (size_t i = 0; i < kept.moves.size(); ++i) {
        Move& move = kept.moves[i];
        const Move& forward = old.moves[static_cast<size_t>(move.undoes_move)];
        auto stays = why_stays(forward, run);
        if (!stays) {
          try {
            mover.make(move);
            ++taken_back;
            continue;
          } catch (const AgentError& error) {
            stays = error;
          }
        }
        kept.failed.insert(static_cast<int64_t>(i));
        if (!outcome.code) outcome.code = stays->code();
        outcome.problems.emplace_back(stays->what());
      }
      mover.sync(kept.moves);
      if (kept.failed.empty()) mover.restore(kept.restore);
      kept.after = mover.folder_times(kept.moves);
      mover.at("before done");
      journal.done(kept);
    }
    if (taken_back > 0) {
      Json end = entry("undo", outcome.problems.empty() ? "done" : "partial");
      end["run"] = outcome.run;
      end["undoes"] = run;
      end["moves"] = taken_back;
      end["problems"] = outcome.problems;
      log->append(std::move(end));
      mover.at("before commit");
      journal.commit();
      mover.at("after commit");
    } else {
      Journal::rolled_back(root, done.run);
    }
  } catch (const AgentError& error) {
    return roll_back(done, error, std::move(outcome));
  }
  keep_head();
  outcome.end = outcome.problems.empty() ? Outcome::End::done
                : taken_back > 0         ? Outcome::End::partial
                                         : Outcome::End::denied;
  outcome.steps_done = done.steps.size();
  if (!outcome.problems.empty()) outcome.message = outcome.problems.front();
  return outcome;
}

Outcome Agent::undo(int64_t run) {
  const auto records = parts_->records();
  const auto nothing = [](std::string message) {
    Outcome outcome;
    outcome.end = Outcome::End::nothing;
    outcome.code = Code::nothing_to_undo;
    outcome.message = std::move(message);
    return outcome;
  };
  if (run != 0) {
    if (!records.contains(run)) return nothing(fmt::format("run {}: there is no such run", run));
    if (Parts::in_effect(records, run).empty())
      return nothing(fmt::format("run {}: nothing of it is left to undo", run));
    return parts_->take_back(run, records);
  }
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (record->second.undoes == 0 && !Parts::in_effect(records, record->first).empty()) {
      return parts_->take_back(record->first, records);
    }
  }
  return nothing("nothing left to undo");
}

Outcome Agent::redo() {
  const auto records = parts_->records();
  // Only what was undone since the last run that changed something: later changes build on what is there.
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (record->second.undoes == 0) break;
    if (records.at(record->second.undoes).undoes == 0 && !Parts::in_effect(records, record->first).empty()) {
      return parts_->take_back(record->first, records);
    }
  }
  Outcome outcome;
  outcome.end = Outcome::End::nothing;
  outcome.code = Code::nothing_to_undo;
  outcome.message = "nothing to redo";
  return outcome;
}

std::vector<RunInfo> Agent::runs() const {
  const auto records = parts_->records();
  std::vector<RunInfo> runs;
  for (const auto& [run, record] : records) {
    RunInfo info{run, record.undoes, record.request, record.time, 0, Parts::in_effect(records, run).size()};
    for (const StepRecord& step : record.steps) info.changes += step.moves.size() - step.failed.size();
    runs.push_back(std::move(info));
  }
  return runs;
}

}  // namespace tinyllm::agent
