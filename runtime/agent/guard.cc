#include <tinyllm/runtime/agent/guard.h>

#include <tinyllm/runtime/agent/state.h>
#include <tinyllm/tensor/base/utf8.h>

#include <algorithm>

namespace tinyllm::agent {
namespace {

constexpr size_t kMaxPath = 32 << 10;

bool is_drive(std::string_view path) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return path.size() >= 3 && is_letter(path[0]) && path[1] == ':' && (path[2] == '/' || path[2] == '\\');
}

bool is_foreign_root(std::string_view path) { return is_drive(path) || path.starts_with("\\\\"); }

// The parts of a name as patterns see them: folding can turn a full-width slash into a slash.
std::vector<std::string> folded_parts(std::string_view name) {
  const std::string text = folded(name);
  std::vector<std::string> parts;
  for (std::string_view part : split_path(text)) {
    while (!part.empty() && (part.back() == '.' || part.back() == ' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

std::vector<std::string> folded_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const std::string_view part : split_path(path)) {
    for (std::string& each : folded_parts(part)) parts.push_back(std::move(each));
  }
  return parts;
}

std::vector<std::string_view> views(const std::vector<std::string>& parts) { return {parts.begin(), parts.end()}; }

// How far a path goes above where it begins, whichever slash separates its parts.
bool climbs_out(std::string path, size_t& dots) {
  std::replace(path.begin(), path.end(), '\\', '/');
  int depth = 0;
  bool out = false;
  for (const std::string_view part : split_path(path)) {
    if (part == ".") continue;
    dots += part == "..";
    depth += part == ".." ? -1 : 1;
    out = out || depth < 0;
  }
  return out;
}

}  // namespace

struct Guard::Denial {
  std::string text;
  Glob glob;
  enum class Against { name, below_root, whole_path } against;
  std::optional<Glob> base;  // Of `base/**`.
};

Guard::Guard(const Policy& policy, std::string root)
    : policy_(policy), root_(std::move(root)), folded_root_(folded_path(root_)) {
  for (const std::string& given : policy.deny_patterns) {
    std::string pattern = given;
    if (is_foreign_root(pattern)) std::replace(pattern.begin(), pattern.end(), '\\', '/');
    const bool whole = pattern.starts_with('/') || is_drive(pattern);
    const auto against = whole                               ? Denial::Against::whole_path
                         : pattern.find('/') == pattern.npos ? Denial::Against::name
                                                             : Denial::Against::below_root;
    pattern = folded(pattern);
    Denial denial{given, Glob(pattern), against, std::nullopt};
    if (pattern.ends_with("/**") && denial.glob.size() > 1) denial.base.emplace(pattern.substr(0, pattern.size() - 3));
    // One that names other places, such as /etc/* where the root is in /home, can never match.
    const std::vector<std::string_view> above = views(folded_root_);
    if (whole && !denial.glob.may_match_below(above) && !denies(denial, {})) continue;
    denials_.push_back(std::move(denial));
  }
  for (const std::string& pattern : policy.allow_hidden) allow_hidden_.emplace_back(pattern);
}

Guard::~Guard() = default;

bool Guard::denies(const Denial& denial, const std::vector<std::string_view>& parts) const {
  if (denial.against == Denial::Against::name) return !parts.empty() && denial.glob.matches({parts.back()});
  if (denial.against == Denial::Against::below_root) {
    return denial.glob.matches(parts) || (denial.base && denial.base->matches(parts));
  }
  std::vector<std::string_view> whole = views(folded_root_);
  const size_t above = whole.size();
  whole.insert(whole.end(), parts.begin(), parts.end());
  // A pattern that matches the root or a folder above it denies everything.
  for (size_t size = parts.empty() ? 1 : above + 1; size <= whole.size(); ++size) {
    const std::vector<std::string_view> prefix(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    if (denial.glob.matches(prefix) || (denial.base && denial.base->matches(prefix))) return true;
  }
  return false;
}

std::optional<Guard::Refusal> Guard::why_not(const std::vector<std::string_view>& parts,
                                             const std::vector<std::string>& folded) const {
  if (!folded.empty() && folded.front() == State::kFolder) {
    return Refusal{Code::protected_path, fmt::format("{} holds the agent's own journal and backups", State::kFolder)};
  }
  const std::vector<std::string_view> folded_views = views(folded);
  for (const Denial& denial : denials_) {
    if (denies(denial, folded_views)) return Refusal{Code::denied_pattern, "the policy denies " + escaped(denial.text)};
  }
  if (!parts.empty() && parts.back().starts_with('.') &&
      std::none_of(allow_hidden_.begin(), allow_hidden_.end(), [&](const Glob& glob) { return glob.matches(parts); })) {
    return Refusal{Code::hidden, fmt::format("{} is hidden, and allow_hidden does not list it", escaped(parts.back()))};
  }
  return std::nullopt;
}

std::optional<Guard::Refusal> Guard::why_not_here(std::string_view folder, std::string_view name) const {
  if (last_folder_ != folder) {
    last_folder_ = folder;
    last_folded_ = folded_path(folder);
  }
  const size_t above = last_folded_.size();
  for (std::string& part : folded_parts(name)) last_folded_.push_back(std::move(part));
  std::vector<std::string_view> parts = split_path(last_folder_);
  parts.push_back(name);
  auto refusal = why_not(parts, last_folded_);
  last_folded_.resize(above);
  return refusal;
}

std::optional<Guard::Refusal> Guard::why_not(std::string_view path) const {
  const std::vector<std::string_view> parts = split_path(path);
  std::optional<Refusal> worst;
  std::vector<std::string> folded;
  for (size_t size = 0; size <= parts.size(); ++size) {
    if (size > 0) {
      for (std::string& part : folded_parts(parts[size - 1])) folded.push_back(std::move(part));
    }
    const std::vector<std::string_view> prefix(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(size));
    const auto refusal = why_not(prefix, folded);
    if (refusal && (!worst || refusal->code < worst->code)) worst = refusal;
  }
  return worst;
}

void Guard::check_new_name(std::string_view name) const {
  if (name.size() > kMaxName) {
    throw AgentError(Code::bad_name, "{}: has {} bytes, expected at most {}, which are {} characters of this kind",
                     escaped(name.substr(0, character_cut(name, 60))), name.size(), kMaxName,
                     kMaxName * static_cast<size_t>(count_of_characters(name)) / name.size());
  }
  const std::string problem = policy_.portable_names ? portability_problem(name) : "";
  if (!problem.empty()) throw AgentError(Code::bad_name, "{}: the name {} (portable_names)", escaped(name), problem);
}

Place Guard::place(std::string_view given, Use use) const {
  const std::string shown = escaped(given.substr(0, character_cut(given, 200)));
  std::string_view below = given;
  if (is_foreign_root(given)) throw AgentError(Code::outside_root, "{}: is not below the root", shown);
  // An absolute path is compared with the root by whole names.
  const bool is_absolute = given.starts_with('/');
  if (is_absolute) {
    const std::vector<std::string_view> parts = split_path(given), root = split_path(root_);
    if (parts.size() < root.size() || !std::equal(root.begin(), root.end(), parts.begin())) {
      throw AgentError(Code::outside_root, "{}: is not below the root {}", shown, escaped(root_));
    }
    below = parts.size() == root.size() ? std::string_view()
                                        : given.substr(static_cast<size_t>(parts[root.size()].data() - given.data()));
  }
  size_t dots = 0;
  const bool out = climbs_out(std::string(below), dots);
  std::string path;
  for (const std::string_view part : split_path(below)) {
    if (part == "..") {
      path = std::string(parent_of(path));
    } else if (part != ".") {
      path = joined(path, part);
    }
  }
  if (out) throw AgentError(Code::outside_root, "{}: leaves the root", shown);
  if (path.empty() && use != Use::look) {
    throw AgentError(Code::root_itself, "{}: is the root itself, which is never changed", shown);
  }
  if (dots > 0) throw AgentError(Code::bad_path, "{}: has .., write {} instead", shown, escaped(path));
  if (const auto refusal = why_not(path)) throw AgentError(refusal->code, "{}: {}", shown, refusal->why);
  if (given.find('\0') != given.npos) throw AgentError(Code::bad_name, "{}: has a NUL character", shown);
  if (given.size() > kMaxPath) {
    throw AgentError(Code::bad_name, "{}: has {} bytes, expected at most {}", shown, given.size(), kMaxPath);
  }
  for (const std::string_view part : split_path(path)) {
    if (use == Use::make) check_new_name(part);
    if (part.size() > kMaxName) throw AgentError(Code::bad_name, "{}: a name of {} bytes", shown, part.size());
  }
  return {path, given.ends_with('/')};
}

}  // namespace tinyllm::agent
