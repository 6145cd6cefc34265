// Steps that make files or look into them.
#include <tinyllm/runtime/agent/archive.h>
#include <tinyllm/runtime/agent/dry_run.h>
#include <tinyllm/runtime/agent/text.h>

#include <algorithm>
#include <set>

namespace tinyllm::agent {
namespace {

constexpr int64_t kMaxText = int64_t{16} << 20;  // Bytes of a text that is changed.
constexpr size_t kMaxTag = 64;

void check_tag(std::string_view tag) {
  const bool is_good = tag.size() <= kMaxTag && std::none_of(tag.begin(), tag.end(), [](char c) {
                         return c == '[' || c == ']' || static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
                       });
  if (!is_good) {
    throw AgentError(Code::bad_plan, "tag {}: expected one line of at most {} bytes without [ and ]",
                     escaped(tag.substr(0, kMaxTag)), kMaxTag);
  }
}

}  // namespace

void DryRun::create(const Step& step, StepPreview& out) {
  const Place place = places({{step.path, Guard::Use::make}})[0];
  const std::string& path = place.path;
  if (place.is_folder) {
    if (step.content) throw AgentError(Code::bad_plan, "{}: a folder has no content", escaped(path));
    const Node* there = tree_.find(path);
    if (there != nullptr && there->is_folder()) {
      out.notes.push_back(fmt::format("{}/ is there already", escaped(path)));
      return;
    }
    return make_folders(path, out);
  }
  const std::string& encoding = step.encoding.empty() ? policy_.encoding : step.encoding;
  const std::string bytes = encoded(step.content.value_or(""), encoding, path);
  Node* there = tree_.find(path);
  if (there != nullptr && there->identity.kind == Kind::file && step.overwrite) {
    out.is_typed = true;
    return replace_text(*there, path, bytes, out);
  }
  clear_place(path, false, out);
  make_folders(parent_of(path), out);
  const auto content = std::make_shared<const std::string>(bytes);
  tree_.add(path, Kind::file, content);
  add({.kind = Action::Kind::write, .to = path, .bytes = std::ssize(*content), .content = content}, out);
}

void DryRun::replace_text(Node& node, const std::string& path, std::string bytes, StepPreview& out) {
  watch(node);
  if (node.identity.names > 1) {
    out.notes.push_back(
        fmt::format("{}: has {} names; the others keep the old bytes", escaped(path), node.identity.names));
  }
  if (out.is_typed) out.notes.push_back(fmt::format("{}: replaces {} bytes", escaped(path), node.identity.size));
  node.content = std::make_shared<const std::string>(std::move(bytes));
  node.identity.size = std::ssize(*node.content);
  node.identity.names = 1;
  add({.kind = Action::Kind::replace, .to = path, .bytes = node.identity.size, .content = node.content}, out);
}

void DryRun::update(const Step& step, StepPreview& out) {
  const std::string path = places({{step.path, Guard::Use::change}})[0].path;
  Node& node = regular_file(path);
  const std::string& encoding = step.encoding.empty() ? policy_.encoding : step.encoding;
  // What is replaced as a whole need not be text.
  std::string text;
  if (step.edits.front().kind != Edit::Kind::set) {
    if (node.identity.size > kMaxText) {
      throw AgentError(Code::too_large, "{}: has {} bytes, expected at most {}", escaped(path), node.identity.size,
                       kMaxText);
    }
    text = decoded(tree_.beginning(node, static_cast<size_t>(kMaxText) + 1), encoding, path);
  }
  text = edited(std::move(text), step.edits, path, out.notes);
  replace_text(node, path, encoded(text, encoding, path), out);
}

void DryRun::tag(const Step& step, StepPreview& out) {
  check_tag(step.tag);
  std::vector<Match> matches;
  if (step.pattern.empty()) {
    const std::string path = places({{step.path, Guard::Use::change}})[0].path;
    matches.push_back({&regular_file(path), path});
  } else {
    matches = select(step, out);
    std::erase_if(matches, [](const Match& match) { return match.node->is_folder(); });
  }
  const std::string& encoding = step.encoding.empty() ? policy_.encoding : step.encoding;
  for (const Match& match : matches) {
    Node& node = regular_file(match.path);
    if (node.identity.size > kMaxText) {
      throw AgentError(Code::too_large, "{}: has {} bytes, expected at most {}", escaped(match.path),
                       node.identity.size, kMaxText);
    }
    const std::string text = decoded(tree_.beginning(node, static_cast<size_t>(kMaxText) + 1), encoding, match.path);
    if (const auto result = tagged(text, step.tag)) {
      replace_text(node, match.path, encoded(*result, encoding, match.path), out);
    } else {
      out.notes.push_back(fmt::format("{}: has the tag already", escaped(match.path)));
    }
  }
}

void DryRun::read(const Step& step, StepPreview& out) {
  const std::string path = places({{step.path, Guard::Use::look}})[0].path;
  Action action{.kind = Action::Kind::read, .from = path};
  Node& node = tree_.need(path);
  if (node.identity.kind != Kind::link || !policy_.follow_symlinks_inside) {
    regular_file(path);
    action.bytes = node.identity.size;
  }
  add(std::move(action), out);
  out.files = 1;
}

void DryRun::list(const Step& step, StepPreview& out) {
  const auto show = [&out](const Node& node, const std::string& path) {
    out.found.push_back(node.is_folder() ? path + "/" : path);
    ++(node.is_folder() ? out.folders : out.files);
    if (node.identity.kind == Kind::file) out.bytes += node.identity.size;
  };
  if (!step.pattern.empty()) {
    for (const Match& match : select(step, out)) show(*match.node, match.path);
    return;
  }
  const std::string path = places({{step.path, Guard::Use::look}})[0].path;
  Node& top = tree_.need(path);
  if (top.identity.kind == Kind::link)
    throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(path));
  if (!top.is_folder()) return show(top, path);
  tree_.walk(top, [&](Node& node, const std::string& where) {
    if (&node == &top) return true;
    if (tree_.guard().why_not_here(parent_of(where), node.name)) return false;
    show(node, where);
    return step.recursive && node.identity.device == tree_.root().device();
  });
}

void DryRun::compress(const Step& step, StepPreview& out) {
  std::vector<Place> given;
  if (step.pattern.empty()) {
    given = places({{step.path, Guard::Use::look}, {step.dst, Guard::Use::make}});
  } else {
    given = places({{step.dst, Guard::Use::make}});
  }
  const std::string to = given.back().path;
  if (given.back().is_folder || !is_archive_name(to)) {
    throw AgentError(Code::bad_plan,
                     "dst {}: expected a name that ends in .zip, .tar, .tar.gz, .tgz, .tar.xz or .tar.zst",
                     escaped(to));
  }
  std::vector<Match> matches;
  if (step.pattern.empty()) {
    matches.push_back({&tree_.need(given.front().path), given.front().path});
  } else {
    matches = select(step, out);
  }
  Action action{.kind = Action::Kind::archive, .to = to};
  std::set<std::string> inputs;
  const auto input = [&](const Node& node, const std::string& path) {
    if (inputs.insert(path).second) action.bytes += node.is_folder() ? 0 : node.identity.size;
  };
  // With ** at the end everything below is matched by itself, and a folder needs an entry only if it is empty.
  const bool by_itself = !step.pattern.empty() && Glob(step.pattern).takes_everything_below();
  for (const Match& match : matches) {
    if (match.node->identity.kind == Kind::link)
      throw AgentError(Code::symlink, "{}: is a link, which is not packed", escaped(match.path));
    if (!match.node->is_folder()) {
      regular_file(match.path);
      watch(*match.node);
      input(*match.node, match.path);
    } else if (by_itself) {
      if (tree_.children(*match.node).empty()) input(*match.node, match.path);
    } else {
      take_whole(*match.node, match.path, "", Links::refused);
      tree_.walk(*match.node, [&](Node& node, const std::string& path) {
        if (!node.is_folder() || tree_.children(node).empty()) input(node, path);
        return true;
      });
    }
  }
  if (inputs.empty()) throw AgentError(Code::not_found, "no file to put into {}", escaped(to));
  if (inputs.size() > kMaxEntries) {
    throw AgentError(Code::too_large, "{} files for one archive, expected at most {}", inputs.size(), kMaxEntries);
  }
  clear_place(to, step.overwrite, out);
  make_folders(parent_of(to), out);
  action.inputs.assign(inputs.begin(), inputs.end());
  out.notes.push_back(fmt::format("{}: {} files and empty folders", escaped(to), inputs.size()));
  tree_.add(to, Kind::file);
  add(std::move(action), out);
}

void DryRun::extract(const Step& step, StepPreview& out) {
  const auto given = places({{step.path, Guard::Use::change}, {step.dst, Guard::Use::make}});
  const std::string &path = given[0].path, &folder = given[1].path;
  Node& node = regular_file(path);
  if (!node.on_disk || node.content) {
    throw AgentError(Code::bad_plan, "{}: is made by an earlier step; unpack it in a plan of its own", escaped(path));
  }
  watch(node);
  make_folders(folder, out);
  Action action{.kind = Action::Kind::extract, .from = path, .to = folder, .files = 0};
  const Handle file = tree_.root().file(node.origin);
  Node* current = nullptr;
  read_archive(
      file.get(), path,
      [&](const ArchiveEntry& entry) {
        const std::string name = fmt::format("{}: {}", escaped(path), escaped(entry.name));
        if (entry.name.starts_with('/')) throw AgentError(Code::outside_root, "{}: is an absolute path", name);
        tree_.guard().place(entry.name, Guard::Use::look);
        const std::string to = tree_.guard().place(joined(folder, entry.name), Guard::Use::make).path;
        if (entry.is_folder) return make_folders(to, out);
        make_folders(parent_of(to), out);
        clear_place(to, false, out);
        current = &tree_.add(to, Kind::file);
        action.extracted.emplace_back(entry.name, to);
        ++action.files;
      },
      [&](std::span<const char> bytes) {
        current->identity.size += std::ssize(bytes);
        action.bytes += std::ssize(bytes);
      });
  add(std::move(action), out);
}

}  // namespace tinyllm::agent
