// Steps that move, copy, rename or delete what is there.
#include <tinyllm/runtime/agent/dry_run.h>
#include <tinyllm/runtime/agent/text.h>
#include <tinyllm/tensor/base/counted.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <set>

namespace tinyllm::agent {
namespace {

constexpr int kMostNumbers = 10'000;  // Tried for a name that is free.

std::string with_case(std::string_view text, std::string_view form) {
  // Of ASCII letters: others may change their length, and names are compared by bytes.
  std::string result(text);
  for (char& c : result) {
    if (form == "lower" && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (form == "upper" && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return result;
}

std::string replaced(std::string text, std::string_view find, std::string_view with) {
  for (size_t at = 0; (at = text.find(find, at)) != text.npos; at += with.size()) text.replace(at, find.size(), with);
  return text;
}

void check_name(std::string_view name) {
  if (name.find('/') != name.npos || name == "." || name == ".." || name.empty()) {
    throw AgentError(Code::bad_name, "new name {}: is a path, expected one name; use move", escaped(name));
  }
}

}  // namespace

std::string filled(std::string_view text, std::string_view name, int64_t modified, int64_t number, bool dotted) {
  const std::string_view extension = extension_of(name);
  const std::time_t seconds = modified / 1'000'000'000;
  std::tm date{};
  localtime_r(&seconds, &date);
  std::string result;
  for (size_t at = 0; at < text.size();) {
    const size_t open = std::min(text.find('{', at), text.size());
    result += text.substr(at, open - at);
    if (open == text.size()) break;
    const size_t close = text.find('}', open);
    if (close == text.npos) throw AgentError(Code::bad_plan, "{}: a {{ has no }}", escaped(text));
    const std::string_view field = text.substr(open + 1, close - open - 1);
    const size_t colon = std::min(field.find(':'), field.size());
    const std::string_view key = field.substr(0, colon), form = field.substr(std::min(colon + 1, field.size()));
    const bool cased = form.empty() || form == "lower" || form == "upper";
    int width = 1;
    if (key == "stem" && cased) {
      result += with_case(name.substr(0, name.size() - extension.size()), form);
    } else if (key == "ext" && cased) {
      if (extension.empty() && !dotted) return "";
      result += with_case(extension.substr(dotted ? 0 : 1), form);
    } else if (field == "yyyy") {
      result += fmt::format("{:04}", date.tm_year + 1900);
    } else if (field == "mm") {
      result += fmt::format("{:02}", date.tm_mon + 1);
    } else if (field == "dd") {
      result += fmt::format("{:02}", date.tm_mday);
    } else if (key == "n" && (form.empty() || (form.size() == 1 && form[0] >= '1' && form[0] <= '9'))) {
      if (!form.empty()) width = form[0] - '0';
      result += fmt::format("{:0{}}", number, width);
    } else {
      throw AgentError(Code::bad_plan, "{{{}}}: is not a field, expected stem, ext, yyyy, mm, dd or n", escaped(field));
    }
    at = close + 1;
  }
  return result;
}

void DryRun::remove_tree(Node& node, const std::string& path, StepPreview& out) {
  const Tally tally = take_whole(node, path, "", Links::may_be);
  out.folders += tally.folders;
  add({.kind = Action::Kind::remove, .from = path, .files = tally.files, .bytes = tally.bytes}, out);
  tree_.remove(node);
}

void DryRun::remove(const Step& step, StepPreview& out) {
  out.is_typed = true;
  if (step.pattern.empty()) {
    const std::string path = places({{step.path, Guard::Use::change}})[0].path;
    Node& node = tree_.need(path);
    if (node.is_folder() && !step.recursive && !tree_.children(node).empty()) {
      throw AgentError(Code::not_empty, "{}: is a folder with something in it, and the step is not recursive",
                       escaped(path));
    }
    return remove_tree(node, path, out);
  }
  const std::vector<Match> matches = select(step, out);
  std::set<const Node*> taken;
  for (const Match& match : matches) taken.insert(match.node);
  std::vector<Glob> except;
  if (step.filters) {
    for (const std::string& each : step.filters->except)
      except.emplace_back(places({{each, Guard::Use::look}})[0].path);
  }
  const Glob glob(places({{step.pattern, Guard::Use::look}})[0].path);
  std::vector<Match> open(matches.rbegin(), matches.rend());
  std::set<std::string> gone;
  const auto is_gone = [&gone](std::string_view path) {
    for (; !path.empty(); path = parent_of(path)) {
      if (gone.contains(std::string(path))) return true;
    }
    return false;
  };
  int64_t kept = 0;
  while (!open.empty()) {
    const Match match = std::move(open.back());
    open.pop_back();
    if (is_gone(match.path)) continue;
    if (!match.node->is_folder()) {
      gone.insert(match.path);
      remove_tree(*match.node, match.path, out);
      continue;
    }
    if (!step.recursive) {
      // Folders that a pattern happens to match are not meant, unless they are empty or the step says so.
      if (!tree_.children(*match.node).empty()) {
        ++kept;
        continue;
      }
    }
    // A folder goes whole only if everything in it may go. If not, what is taken by itself goes.
    bool has_excepted = false, has_hidden = false;
    tree_.walk(*match.node, [&](Node& node, const std::string& path) {
      if (step.filters && !passes({}, node, path, except)) has_excepted = true;
      const auto refusal = tree_.guard().why_not_here(parent_of(path), node.name);
      if (refusal && refusal->code == Code::hidden) {
        has_hidden = true;
        return false;
      }
      return true;
    });
    if (!has_excepted && !(has_hidden && glob.takes_everything_below())) {
      gone.insert(match.path);
      remove_tree(*match.node, match.path, out);
      continue;
    }
    ++kept;
    std::vector<Match> inside;
    for (auto& [name, child] : tree_.children(*match.node)) {
      const std::string path = joined(match.path, name);
      if (tree_.guard().why_not_here(match.path, name)) continue;
      if (passes(Filters{}, *child, path, except)) inside.push_back({child.get(), path});
    }
    open.insert(open.end(), inside.rbegin(), inside.rend());
  }
  if (kept > 0)
    out.notes.push_back(fmt::format("keeps {} in which not everything is deleted", counted(kept, "folder")));
}

void DryRun::move_to(Node& node, const std::string& from, const std::string& to, bool overwrite, StepPreview& out) {
  if (to == from) {
    out.notes.push_back(fmt::format("{}: is there already", escaped(from)));
    return;
  }
  if (node.is_folder() && is_within(to, from)) {
    throw AgentError(Code::bad_plan, "{}: cannot go into itself, {}", escaped(from), escaped(to));
  }
  if (base_name(to).size() > kMaxName)
    throw AgentError(Code::bad_name, "{}: a name of more than {} bytes", escaped(to), kMaxName);
  if (const auto refusal = tree_.guard().why_not(to))
    throw AgentError(refusal->code, "{}: {}", escaped(to), refusal->why);
  const Tally tally = take_whole(node, from, to, Links::may_be);
  clear_place(to, overwrite, out);
  make_folders(parent_of(to), out);
  if (node.identity.kind == Kind::link) {
    out.notes.push_back(
        fmt::format("{}: is a link; it is moved as it is, and may lead elsewhere from there", escaped(from)));
  }
  add({.kind = Action::Kind::move, .from = from, .to = to, .files = tally.files, .bytes = tally.bytes}, out);
  out.folders += tally.folders;
  tree_.move(node, to);
}

void DryRun::move(const Step& step, StepPreview& out) {
  if (step.pattern.empty()) {
    const auto given = places({{step.src, Guard::Use::change}, {step.dst, Guard::Use::look}});
    if (given[1].path.empty() && !given[1].is_folder && step.dst != ".") {
      throw AgentError(Code::root_itself, "{}: is the root itself", escaped(step.dst));
    }
    Node& node = tree_.need(given[0].path);
    std::string to = given[1].path;
    if (given[1].is_folder || to.empty()) {
      to = joined(to, node.name);
    } else {
      places({{step.dst, Guard::Use::make}});
    }
    return move_to(node, given[0].path, to, step.overwrite, out);
  }
  const std::string folder = places({{step.dst, Guard::Use::look}})[0].path;
  if (!folder.empty()) places({{step.dst, Guard::Use::make}});
  for (const Match& match : select(step, out)) {
    // The folder above was moved with it, or it is where the files go.
    const std::string from = Tree::path_of(*match.node);
    if (from != match.path || is_within(folder, from)) continue;
    move_to(*match.node, from, joined(folder, match.node->name), step.overwrite, out);
  }
}

void DryRun::copy_to(Node& node, const std::string& from, const std::string& to, bool overwrite, StepPreview& out) {
  if (to == from || (node.is_folder() && is_within(to, from))) {
    throw AgentError(Code::bad_plan, "{}: cannot be copied onto or into itself, {}", escaped(from), escaped(to));
  }
  if (const auto refusal = tree_.guard().why_not(to))
    throw AgentError(refusal->code, "{}: {}", escaped(to), refusal->why);
  take_whole(node, from, to, Links::refused);
  clear_place(to, overwrite, out);
  make_folders(parent_of(to), out);
  std::vector<Match> sources;
  tree_.walk(node, [&](Node& each, const std::string& path) {
    sources.push_back({&each, path});
    return true;
  });
  for (const auto& [source, path] : sources) {
    const std::string target = to + path.substr(from.size());
    if (source->is_folder()) {
      make_folders(target, out);
      continue;
    }
    Node& made = tree_.add(target, Kind::file, source->content, source->identity.size);
    made.origin = source->origin;
    made.identity.modified = source->identity.modified;
    add({.kind = Action::Kind::copy, .from = path, .to = target, .bytes = source->identity.size}, out);
  }
}

void DryRun::copy(const Step& step, StepPreview& out) {
  if (step.pattern.empty()) {
    const auto given = places({{step.src, Guard::Use::change}, {step.dst, Guard::Use::look}});
    Node& node = tree_.need(given[0].path);
    const bool into = given[1].is_folder || given[1].path.empty();
    if (!into) places({{step.dst, Guard::Use::make}});
    return copy_to(node, given[0].path, into ? joined(given[1].path, node.name) : given[1].path, step.overwrite, out);
  }
  const std::string folder = places({{step.dst, Guard::Use::look}})[0].path;
  if (!folder.empty()) places({{step.dst, Guard::Use::make}});
  const std::vector<Match> matches = select(step, out);
  std::set<const Node*> whole;
  for (const Match& match : matches) {
    bool within = is_within(folder, match.path);
    for (const Node* above = match.node->parent; above != nullptr; above = above->parent)
      within = within || whole.contains(above);
    if (within) continue;
    if (match.node->is_folder()) whole.insert(match.node);
    copy_to(*match.node, match.path, joined(folder, match.node->name), step.overwrite, out);
  }
}

std::string DryRun::free_name(const std::string& path) {
  if (tree_.find(path) == nullptr) return path;
  const std::string_view name = base_name(path), extension = extension_of(name);
  const std::string_view stem = name.substr(0, name.size() - extension.size());
  for (int number = 2; number < kMostNumbers; ++number) {
    std::string next = joined(parent_of(path), fmt::format("{} ({}){}", stem, number, extension));
    if (tree_.find(next) == nullptr) return next;
  }
  throw AgentError(Code::exists, "{}: is there {} times already", escaped(path), kMostNumbers);
}

void DryRun::classify(const Step& step, StepPreview& out) {
  int64_t in_place = 0, without_rule = 0;
  for (const Match& match : select(step, out)) {
    const Node& node = *match.node;
    if (node.is_folder()) continue;
    std::optional<std::string> beginning;
    std::string to;
    for (const Rule& rule : step.rules) {
      Filters filters;
      filters.extensions = rule.extensions;
      filters.name_contains = rule.name_contains;
      if (!passes(filters, node, match.path, {})) continue;
      if (!rule.contains.empty()) {
        if (node.identity.kind != Kind::file) continue;
        // A binary file may be huge, and has no words: its first bytes tell.
        if (!beginning) beginning = tree_.beginning(node, 8192);
        if (looks_binary(*beginning)) continue;
        if (beginning->size() == 8192) beginning = tree_.beginning(node, kSearched);
        if (!text_contains(*beginning, rule.contains)) continue;
      }
      if (rule.by == "ext" && extension_of(node.name).empty()) continue;
      to = filled(rule.to, node.name, node.identity.modified, 1, false);
      if (!to.empty()) break;
    }
    if (to.empty()) {
      ++without_rule;
      continue;
    }
    const std::string folder = places({{to, Guard::Use::look}})[0].path;
    if (!folder.empty()) places({{to, Guard::Use::make}});
    if (folder == parent_of(match.path)) {
      ++in_place;
      continue;
    }
    move_to(*match.node, match.path, free_name(joined(folder, node.name)), false, out);
  }
  if (in_place > 0) out.notes.push_back(fmt::format("{} are in place already", in_place));
  if (without_rule > 0) out.notes.push_back(fmt::format("{} match no rule and stay", without_rule));
}

std::vector<DryRun::Renaming> DryRun::renamings(const Step& step, StepPreview& out) {
  std::vector<Match> matches;
  if (step.pattern.empty()) {
    const std::string path = places({{step.src, Guard::Use::change}})[0].path;
    matches.push_back({&tree_.need(path), path});
  } else {
    matches = select(step, out);
  }
  std::vector<Renaming> result;
  int64_t number = 0;
  for (const Match& match : matches) {
    const std::string& old = match.node->name;
    // A template is for files; a folder is renamed by its own name.
    if (!step.name_template.empty() && match.node->is_folder() && !step.pattern.empty()) continue;
    const std::string name = !step.new_name.empty() ? step.new_name
                             : !step.find.empty()
                                 ? replaced(old, step.find, step.with)
                                 : filled(step.name_template, old, match.node->identity.modified, ++number, true);
    check_name(name);
    if (name == old) continue;
    const std::string to = joined(parent_of(match.path), name);
    places({{to, Guard::Use::make}});
    result.push_back({match.node, match.path, to});
  }
  return result;
}

void DryRun::rename(std::span<const Step> batch, StepPreview& out) {
  std::vector<Renaming> all;
  for (const Step& step : batch) {
    for (Renaming& each : renamings(step, out)) all.push_back(std::move(each));
  }
  std::set<std::string> sources, targets;
  for (const Renaming& each : all) {
    if (!sources.insert(each.from).second) throw AgentError(Code::bad_plan, "{}: is renamed twice", escaped(each.from));
    if (!targets.insert(each.to).second) {
      throw AgentError(Code::exists, "{}: would be the name of two files", escaped(each.to));
    }
  }
  bool permuted = false;
  for (const Renaming& each : all) {
    for (std::string_view above = parent_of(each.from); !above.empty(); above = parent_of(above)) {
      if (sources.contains(std::string(above))) {
        throw AgentError(Code::bad_plan, "{}: its folder {} is renamed in the same step", escaped(each.from),
                         escaped(above));
      }
    }
    if (sources.contains(each.to)) {
      permuted = true;
    } else {
      clear_place(each.to, false, out);
    }
  }
  std::vector<Tally> tallies;
  for (const Renaming& each : all) tallies.push_back(take_whole(*each.node, each.from, each.to, Links::may_be));
  // No file has a name with a slash: what is set aside is in nobody's way.
  if (permuted) {
    for (size_t i = 0; i < all.size(); ++i) {
      auto& above = tree_.need(parent_of(all[i].from)).children;
      auto aside = above.extract(all[i].node->name);
      aside.key() = all[i].node->name = fmt::format("/{}", i);
      above.insert(std::move(aside));
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    tree_.move(*all[i].node, all[i].to);
    out.folders += tallies[i].folders;
    add({.kind = Action::Kind::move,
         .from = all[i].from,
         .to = all[i].to,
         .files = tallies[i].files,
         .bytes = tallies[i].bytes,
         .permuted = permuted},
        out);
  }
  if (all.size() > 1) out.is_typed = true;
}

}  // namespace tinyllm::agent
