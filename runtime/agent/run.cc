// Carrying out a plan that was shown and confirmed.
#include <tinyllm/runtime/agent/parts.h>
#include <tinyllm/runtime/agent/text.h>
#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm::agent {
namespace {

constexpr int64_t kSpare = 256 << 10;  // Bytes for the journal.
constexpr size_t kMaxRequest = 500;

std::string short_request(std::string_view request) {
  return replace_invalid_utf8(request.substr(0, character_cut(request, kMaxRequest)));
}

Outcome failed(Outcome outcome, Outcome::End end, const AgentError& error) {
  outcome.end = end;
  outcome.code = error.code();
  outcome.message = error.what();
  return outcome;
}

// Hashes and sizes of what was written, never the bytes.
Json files_of(const StepPreview& step) {
  Json files = Json::array();
  for (const Action& action : step.actions) {
    Json file = {{"what", name_of(action.kind)}};
    if (!action.from.empty()) file["from"] = escaped(action.from);
    if (!action.to.empty()) file["to"] = escaped(action.to);
    if (action.kind != Action::Kind::make_folder) file["bytes"] = action.bytes;
    if (action.content) file["sha256"] = sha256_hex(*action.content);
    files.push_back(std::move(file));
  }
  return files;
}

}  // namespace

Outcome Agent::Parts::run(const Preview& preview, const Confirmation& confirmation) {
  Outcome outcome;
  const auto deny = [&](const AgentError& error) {
    Json line = entry("run", "denied");
    line["code"] = name_of(error.code());
    line["why"] = error.what();
    line["request"] = short_request(preview.request);
    log->append(std::move(line));
    keep_head();
    return failed(outcome, Outcome::End::denied, error);
  };
  const int64_t number = preview.number_to_type();
  if (preview.changes() && !confirmation.yes)
    return deny(AgentError(Code::not_confirmed, "not confirmed; nothing was done"));
  if (number >= 0 && confirmation.typed != number) {
    return deny(AgentError(Code::not_confirmed, "the number {} was not typed; nothing was done", number));
  }
  try {
    check_sources(preview);
    if (preview.changes()) {
      const int64_t free = root.free_bytes(), need = preview.bytes_written + kSpare;
      if (need > free) {
        throw AgentError(Code::no_space, "{} bytes are free below {}, expected {} for new files and their journal",
                         free, escaped(root.path()), need);
      }
      need_state();
    }
  } catch (const AgentError& error) {
    return deny(error);
  }
  return carry_out(preview, outcome);
}

void Agent::Parts::check_sources(const Preview& preview) const {
  for (const auto& [path, source] : preview.sources) {
    const auto found = root.status(path);
    if (!found) throw AgentError(Code::changed_since_plan, "{}: has gone since the dry run", escaped(path));
    bool is_same = found->device == source.device && found->inode == source.inode &&
                   (found->kind == Kind::folder) == source.is_folder;
    if (!source.is_folder) {
      is_same = is_same && found->size == source.size && found->modified == source.modified &&
                found->changed == source.changed;
    } else if (source.entries >= 0) {
      is_same = is_same && std::ssize(root.entries(path)) == source.entries;
    }
    if (!is_same) {
      throw AgentError(Code::changed_since_plan, "{}: has changed since the dry run; run the dry run again",
                       escaped(path));
    }
  }
}

ReadText Agent::Parts::read(const std::string& path) const {
  std::string resolved = path;
  const Handle file = policy.follow_symlinks_inside ? root.file_through_links(path, resolved) : root.file(path);
  if (const auto refusal = guard.why_not(resolved)) {
    throw AgentError(refusal->code, "{}: leads to {}: {}", escaped(path), escaped(resolved), refusal->why);
  }
  ReadText result{path, read_text(file.get(), kMaxShown + 1, path), false};
  result.is_cut = result.text.size() > kMaxShown;
  if (result.is_cut) result.text.resize(character_cut(result.text, kMaxShown));
  // A file of another encoding is shown in that one, if it is one that is known.
  if (!looks_binary(result.text) && valid_utf8(result.text) != result.text.size()) {
    result.text = decoded(result.text, "gb18030", path);
  } else {
    result.text = decoded(result.text, "utf-8", path);
  }
  return result;
}

Outcome Agent::Parts::carry_out(const Preview& preview, Outcome outcome) {
  std::unique_ptr<Journal> journal;
  std::unique_ptr<Stage> stage;
  RunRecord done;
  std::map<uint64_t, Source> known;
  for (const auto& [path, source] : preview.sources) known.emplace(source.inode, source);
  size_t at_step = 0;
  try {
    if (preview.changes()) {
      outcome.run = done.run = state->next_run();
      mover.at("before begin");
      Json line = entry("run", "begins");
      line["run"] = outcome.run;
      line["request"] = short_request(preview.request);
      log->append(std::move(line));
      journal = std::make_unique<Journal>(root, done.run, preview.request, 0);
      mover.at("after begin");
      stage = std::make_unique<Stage>(root, done.run, state->make_backup(done.run), at);
    }
    for (const StepPreview& step : preview.steps) {
      at_step = step.step;
      for (const Action& action : step.actions) {
        if (action.kind == Action::Kind::read) outcome.texts.push_back(read(action.from));
      }
      if (!only_looks(step.operation)) {
        StepRecord record = stage ? stage->prepare(step, known) : StepRecord{};
        if (!record.moves.empty()) do_step(step, std::move(record), *journal, done.steps.emplace_back());
      }
      log_step(preview, step, outcome.run);
      ++outcome.steps_done;
      mover.at("after step");
    }
    if (journal) {
      mover.at("before commit");
      journal->commit();
      mover.at("after commit");
    }
  } catch (const AgentError& error) {
    const AgentError named(error.code(), "step {}: {}", at_step, error.what());
    if (!journal) return failed(outcome, Outcome::End::denied, named);
    const bool keeps = !policy.rollback_on_error && outcome.steps_done > 0 && error.code() != Code::log_unwritable;
    if (!keeps) return roll_back(done, named, std::move(outcome));
    // The step that failed is taken back alone.
    if (!done.steps.empty() && !done.steps.back().done) mover.take_back(done.steps.back(), outcome.problems);
    journal->commit();
    outcome.message = fmt::format("{} of {} steps done; ", outcome.steps_done, preview.steps.size());
    const std::string begin = outcome.message;
    outcome = failed(std::move(outcome), Outcome::End::partial, named);
    outcome.message = begin + outcome.message;
  }
  if (journal && !policy.backup) state->drop_backup(outcome.run);
  keep_head();
  return outcome;
}

void Agent::Parts::do_step(const StepPreview& step, StepRecord record, Journal& journal, StepRecord& kept) {
  record.before = mover.folder_times(record.moves);
  kept = std::move(record);
  mover.at("before intent");
  journal.intend(kept);
  mover.at("after intent");
  for (const Move& move : kept.moves) mover.make(move);
  mover.sync(kept.moves);
  for (const Action& action : step.actions) {
    if (action.content) check_bytes(root, action.to, *action.content);
  }
  kept.after = mover.folder_times(kept.moves);
  mover.at("before done");
  journal.done(kept);
  kept.done = true;
}

void Agent::Parts::log_step(const Preview& preview, const StepPreview& step, int64_t run) {
  Json line = entry(name_of(step.operation), "done");
  if (run != 0) line["run"] = run;
  line["request"] = short_request(preview.request);
  line["step"] = step.step;
  line["files"] = files_of(step);
  if (only_looks(step.operation)) line["found"] = step.found.size();
  log->append(std::move(line));
}

Outcome Agent::Parts::roll_back(const RunRecord& done, const AgentError& error, Outcome outcome) {
  outcome.problems = mover.take_back(done);
  outcome =
      failed(std::move(outcome), outcome.steps_done > 0 ? Outcome::End::rolled_back : Outcome::End::denied, error);
  outcome.steps_done = 0;
  if (outcome.problems.empty()) state->drop_backup(done.run);
  Json line = entry("run", outcome.problems.empty() ? "rolled_back" : "partial");
  line["run"] = done.run;
  line["code"] = name_of(error.code());
  line["why"] = error.what();
  try {
    Journal::rolled_back(root, done.run);
    log->append(std::move(line));
    keep_head();
  } catch (const AgentError& later) {
    // The tree is as it was; the next start closes the journal.
    outcome.problems.push_back(later.what());
  }
  return outcome;
}

}  // namespace tinyllm::agent
