#include <tinyllm/runtime/agent/dry_run.h>

#include <tinyllm/runtime/agent/text.h>
#include <tinyllm/tensor/base/checked.h>
#include <tinyllm/tensor/base/counted.h>
#include <tinyllm/tensor/base/names.h>

#include <algorithm>

namespace tinyllm::agent {
namespace {

bool has_wildcard(std::string_view text) { return text.find_first_of("*?[") != text.npos; }

}  // namespace

bool Preview::changes() const {
  return std::any_of(steps.begin(), steps.end(), [](const StepPreview& step) {
    return std::any_of(step.actions.begin(), step.actions.end(),
                       [](const Action& action) { return action.kind != Action::Kind::read; });
  });
}

int64_t Preview::number_to_type() const {
  const bool typed = std::any_of(steps.begin(), steps.end(), [](const StepPreview& step) { return step.is_typed; });
  if (!typed) return -1;
  return files > 0 ? files : folders;
}

DryRun::DryRun(const Root& root, const Guard& guard, const Policy& policy) : tree_(root, guard), policy_(policy) {}

Preview DryRun::run(const Plan& plan) {
  preview_.request = plan.request;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Operation operation = plan.steps[i].operation;
    if (!policy_.allow_ops.contains(operation)) {
      throw AgentError(Code::op_not_allowed, "step {}: {} is not in allow_ops", i + 1, name_of(operation));
    }
  }
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    StepPreview out;
    out.step = i + 1;
    out.operation = plan.steps[i].operation;
    try {
      size_t end = i + 1;
      if (out.operation == Operation::rename) {
        while (plan.steps[i].batch != 0 && end < plan.steps.size() && plan.steps[end].operation == Operation::rename &&
               plan.steps[end].batch == plan.steps[i].batch) {
          ++end;
        }
        rename({plan.steps.data() + i, end - i}, out);
      } else {
        run_step(plan.steps[i], out);
      }
      i = end - 1;
    } catch (const AgentError& error) {
      throw AgentError(error.code(), "step {}: {}", out.step, error.what());
    }
    if (!out.actions.empty() && policy_.require_confirm_for.contains(out.operation)) out.is_typed = true;
    preview_.files = checked_add(preview_.files, only_looks(out.operation) ? 0 : out.files);
    preview_.folders = checked_add(preview_.folders, only_looks(out.operation) ? 0 : out.folders);
    preview_.steps.push_back(std::move(out));
    if (preview_.files > policy_.max_batch) {
      throw AgentError(Code::max_batch, "the plan changes {} files, expected at most {} (max_batch); nothing was done",
                       preview_.files, policy_.max_batch);
    }
  }
  return std::move(preview_);
}

void DryRun::run_step(const Step& step, StepPreview& out) {
  switch (step.operation) {
    case Operation::create:
      return create(step, out);
    case Operation::read:
      return read(step, out);
    case Operation::update:
      return update(step, out);
    case Operation::remove:
      return remove(step, out);
    case Operation::move:
      return move(step, out);
    case Operation::copy:
      return copy(step, out);
    case Operation::list:
    case Operation::find:
      return list(step, out);
    case Operation::classify:
      return classify(step, out);
    case Operation::rename:
      return rename({&step, 1}, out);
    case Operation::tag:
      return tag(step, out);
    case Operation::compress:
      return compress(step, out);
    case Operation::extract:
      return extract(step, out);
  }
}

std::vector<Place> DryRun::places(std::initializer_list<Asked> asked) const {
  std::vector<Place> places;
  std::optional<AgentError> worst;
  for (const Asked& each : asked) {
    try {
      places.push_back(tree_.guard().place(each.path, each.use));
    } catch (const AgentError& error) {
      if (!worst || error.code() < worst->code()) worst = error;
    }
  }
  if (worst) throw *worst;
  return places;
}

void DryRun::add(Action action, StepPreview& out) {
  if (action.kind == Action::Kind::make_folder) {
    ++out.folders;
  } else if (action.kind != Action::Kind::read) {
    out.files = checked_add(out.files, action.files);
    out.bytes = checked_add(out.bytes, action.bytes);
  }
  const bool writes =
      action.kind != Action::Kind::move && action.kind != Action::Kind::remove && action.kind != Action::Kind::read;
  if (writes) preview_.bytes_written = checked_add(preview_.bytes_written, action.bytes);
  out.actions.push_back(std::move(action));
}

void DryRun::watch(const Node& node, int64_t entries) {
  if (!node.on_disk) return;
  const Identity& id = node.identity;
  preview_.sources.try_emplace(
      node.origin, Source{id.device, id.inode, id.size, id.modified, id.changed, entries, id.kind == Kind::folder});
}

bool DryRun::passes(const Filters& filters, const Node& node, const std::string& path,
                    std::span<const Glob> except) const {
  const Identity& id = node.identity;
  if (filters.type == "folder" && id.kind != Kind::folder) return false;
  if (filters.files_only() && id.kind != Kind::file) return false;
  const auto parts = split_path(path);
  for (const Glob& glob : except) {
    // What is below an excepted folder is excepted too.
    for (size_t size = 1; size <= parts.size(); ++size) {
      if (glob.matches({parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(size)})) return false;
    }
  }
  if (!filters.extensions.empty()) {
    std::string_view extension = extension_of(node.name);
    if (!extension.empty()) extension.remove_prefix(1);
    const std::string own = folded(extension);
    if (std::find(filters.extensions.begin(), filters.extensions.end(), own) == filters.extensions.end()) return false;
  }
  if (!filters.name_contains.empty() && folded(node.name).find(folded(filters.name_contains)) == std::string::npos) {
    return false;
  }
  if (filters.larger_than && id.size <= *filters.larger_than) return false;
  if (filters.smaller_than && id.size >= *filters.smaller_than) return false;
  if (filters.older_than && id.modified >= *filters.older_than) return false;
  if (filters.newer_than && id.modified < *filters.newer_than) return false;
  return filters.contains.empty() || text_contains(tree_.beginning(node, kSearched), filters.contains);
}

std::vector<DryRun::Match> DryRun::select(const Step& step, StepPreview& out) {
  const std::string pattern = places({{step.pattern, Guard::Use::look}})[0].path;
  const Glob glob(pattern);
  Node* start = tree_.find(glob.literal_folder());
  if (start != nullptr && start->identity.kind == Kind::link) {
    throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(glob.literal_folder()));
  }
  std::vector<Glob> except;
  if (step.filters) {
    for (const std::string& each : step.filters->except)
      except.emplace_back(places({{each, Guard::Use::look}})[0].path);
  }
  std::vector<Match> matches;
  int64_t denied = 0;
  if (start != nullptr && start->is_folder()) {
    tree_.walk(*start, [&](Node& node, const std::string& path) {
      if (&node == start) return true;
      const auto parts = split_path(path);
      const bool matched = glob.matches(parts);
      const bool goes_on = node.is_folder() && glob.may_match_below(parts);
      if (!matched && !goes_on) return false;
      if (const auto refusal = tree_.guard().why_not_here(parent_of(path), node.name)) {
        denied += matched && refusal->code == Code::denied_pattern;
        return false;
      }
      if (matched && (!step.filters || passes(*step.filters, node, path, except))) matches.push_back({&node, path});
      return goes_on && node.identity.device == tree_.root().device();
    });
  }
  if (denied > 0) out.notes.push_back(fmt::format("{} that deny_patterns name are left alone", denied));
  if (matches.empty() && !has_wildcard(pattern))
    throw AgentError(Code::not_found, "{}: is not there", escaped(pattern));
  if (matches.empty()) out.notes.push_back(fmt::format("{}: 0 files match", escaped(pattern)));
  return matches;
}

DryRun::Tally DryRun::take_whole(Node& node, const std::string& path, const std::string& to, Links links) {
  Tally tally;
  std::optional<AgentError> worst;
  const auto refuse = [&worst](Code code, const std::string& what, const std::string& why) {
    if (!worst || code < worst->code()) worst = AgentError(code, "{}: {}", escaped(what), why);
  };
  tree_.walk(node, [&](Node& each, const std::string& where) {
    if (&each != &node) {
      if (const auto refusal = tree_.guard().why_not_here(parent_of(where), each.name)) {
        refuse(refusal->code, where, refusal->why);
        return false;
      }
    }
    if (!to.empty()) {
      const std::string there = to + where.substr(path.size());
      if (const auto refusal = tree_.guard().why_not_here(parent_of(there), base_name(there))) {
        refuse(refusal->code, there, refusal->why);
      }
    }
    if (each.identity.device != tree_.root().device()) {
      refuse(Code::other_filesystem, where, "is on another file system");
      return false;
    }
    if (links == Links::refused && each.identity.kind == Kind::link)
      refuse(Code::symlink, where, "is a link, which is not copied");
    if (links == Links::refused && each.identity.kind == Kind::other) {
      refuse(Code::not_regular, where, "is a pipe, socket or device, which has no bytes to copy");
    }
    if (each.is_folder()) tree_.children(each);
    watch(each, each.is_folder() ? each.entries_on_disk : -1);
    if (each.is_folder()) {
      ++tally.folders;
    } else {
      ++tally.files;
      tally.bytes = checked_add(tally.bytes, each.identity.kind == Kind::file ? each.identity.size : 0);
    }
    return true;
  });
  if (worst) throw *worst;
  return tally;
}

void DryRun::make_folders(std::string_view folder, StepPreview& out) {
  std::string path;
  for (const std::string_view part : split_path(folder)) {
    path = joined(path, part);
    const Node* node = tree_.find(path);
    if (node == nullptr) {
      tree_.add(path, Kind::folder);
      add({.kind = Action::Kind::make_folder, .to = path, .files = 0}, out);
    } else if (node->identity.kind == Kind::link) {
      throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(path));
    } else if (!node->is_folder()) {
      throw AgentError(Code::exists, "{}: is a file, expected a folder", escaped(path));
    } else if (node->on_disk && node->identity.device != tree_.root().device()) {
      throw AgentError(Code::other_filesystem, "{}: is on another file system", escaped(path));
    }
  }
}

Node& DryRun::regular_file(const std::string& path) {
  Node& node = tree_.need(path);
  if (node.identity.kind == Kind::link)
    throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(path));
  if (node.identity.kind != Kind::file) {
    throw AgentError(Code::not_regular, "{}: is {}, expected a regular file", escaped(path),
                     node.is_folder() ? "a folder" : "a pipe, socket or device");
  }
  return node;
}

void DryRun::clear_place(const std::string& to, bool overwrite, StepPreview& out) {
  Node* there = tree_.find(to);
  if (there == nullptr) return;
  if (there->identity.kind == Kind::link) throw AgentError(Code::symlink, "{}: a link has this name", escaped(to));
  if (!overwrite || there->identity.kind != Kind::file) {
    throw AgentError(Code::exists, "{}: is there already{}", escaped(to),
                     there->identity.kind == Kind::file ? ", and the step does not overwrite" : "");
  }
  out.notes.push_back(fmt::format("{}: replaces {}", escaped(to), counted(there->identity.size, "byte")));
  watch(*there);
  add({.kind = Action::Kind::remove, .from = to, .bytes = there->identity.size}, out);
  out.is_typed = true;
  tree_.remove(*there);
}

}  // namespace tinyllm::agent
