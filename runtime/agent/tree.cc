#include <tinyllm/runtime/agent/tree.h>

#include <fcntl.h>

#include <ctime>
#include <utility>

namespace tinyllm::agent {

namespace {

// Far more than any tree of a person has. Every folder is opened from the root, which costs the square of the depth.
constexpr size_t kMaxPath = 64 << 10;

}  // namespace

Node::~Node() {
  // Children are taken apart one by one: a tree may be deeper than the stack.
  std::vector<std::unique_ptr<Node>> rest;
  const auto take = [&rest](Node& from) {
    for (auto& [key, child] : from.children) rest.push_back(std::move(child));
    from.children.clear();
  };
  take(*this);
  while (!rest.empty()) {
    const std::unique_ptr<Node> node = std::move(rest.back());
    rest.pop_back();
    take(*node);
  }
}

Tree::Tree(const Root& root, const Guard& guard) : root_(root), guard_(guard) {
  const auto status = root.status("");
  if (!status) throw AgentError(Code::not_found, "root {}: has gone", escaped(root.path()));
  top_.identity = *status;
}

void Tree::load(Node& folder) {
  if (folder.loaded) return;
  folder.loaded = true;
  if (!folder.on_disk) return;
  if (folder.origin.size() > kMaxPath) {
    throw AgentError(Code::too_large, "{}...: folders nest too deep, expected paths of at most {} bytes",
                     escaped(folder.origin.substr(0, 60)), kMaxPath);
  }
  for (auto& [name, identity] : root_.entries(folder.origin)) {
    auto node = std::make_unique<Node>();
    node->parent = &folder;
    node->name = name;
    node->identity = identity;
    node->origin = joined(folder.origin, name);
    folder.children.emplace(std::move(name), std::move(node));
  }
  folder.entries_on_disk = std::ssize(folder.children);
}

std::map<std::string, std::unique_ptr<Node>, std::less<>>& Tree::children(Node& folder) {
  if (folder.identity.device != root_.device() && folder.on_disk) {
    throw AgentError(Code::other_filesystem, "{}: is on another file system", escaped(path_of(folder)));
  }
  load(folder);
  return folder.children;
}

Node* Tree::find(std::string_view path) {
  Node* node = &top_;
  for (const std::string_view part : split_path(path)) {
    if (node->identity.kind == Kind::link) {
      throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(path_of(*node)));
    }
    if (!node->is_folder()) return nullptr;
    auto& below = children(*node);
    const auto found = below.find(part);
    if (found == below.end()) return nullptr;
    node = found->second.get();
  }
  return node;
}

Node& Tree::need(std::string_view path) {
  Node* node = find(path);
  if (node == nullptr) throw AgentError(Code::not_found, "{}: is not there", escaped(path));
  return *node;
}

std::string Tree::path_of(const Node& node) {
  std::vector<const Node*> above;
  for (const Node* each = &node; each->parent != nullptr; each = each->parent) above.push_back(each);
  std::string path;
  for (auto each = above.rbegin(); each != above.rend(); ++each) {
    if (!path.empty()) path += '/';
    path += (*each)->name;
  }
  return path;
}

void Tree::walk(Node& from, const std::function<bool(Node&, const std::string&)>& visit) {
  // A list of its own: a tree may be deeper than the stack.
  std::vector<std::pair<Node*, std::string>> open = {{&from, path_of(from)}};
  while (!open.empty()) {
    const auto [node, path] = std::move(open.back());
    open.pop_back();
    if (!visit(*node, path) || !node->is_folder()) continue;
    auto& below = children(*node);
    for (auto child = below.rbegin(); child != below.rend(); ++child) {
      open.emplace_back(child->second.get(), joined(path, child->first));
    }
  }
}

Node& Tree::add(std::string_view path, Kind kind, std::shared_ptr<const std::string> content, int64_t size) {
  Node& folder = need(parent_of(path));
  auto node = std::make_unique<Node>();
  node->parent = &folder;
  node->name = std::string(base_name(path));
  node->identity.kind = kind;
  node->identity.device = root_.device();
  node->identity.size = content ? static_cast<int64_t>(content->size()) : size;
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  node->identity.modified = now.tv_sec * 1'000'000'000 + now.tv_nsec;
  node->on_disk = false;
  node->content = std::move(content);
  return *(children(folder)[node->name] = std::move(node));
}

void Tree::move(Node& node, std::string_view to) {
  Node& folder = need(parent_of(to));
  children(folder);
  auto taken = node.parent->children.extract(node.name);
  node.name = std::string(base_name(to));
  node.parent = &folder;
  folder.children[node.name] = std::move(taken.mapped());
}

void Tree::remove(Node& node) {
  const auto& above = node.parent->children;
  node.parent->children.erase(above.find(node.name));
}

std::string Tree::beginning(const Node& node, size_t most) const {
  if (node.content) return node.content->substr(0, most);
  if (node.identity.kind != Kind::file) {
    throw AgentError(node.identity.kind == Kind::link ? Code::symlink : Code::not_regular, "{}: is not a regular file",
                     escaped(path_of(node)));
  }
  if (node.origin.empty()) {
    throw AgentError(Code::bad_plan, "{}: is made by an earlier step, and is not known yet", escaped(path_of(node)));
  }
  return read_text(root_.file(node.origin).get(), most, path_of(node));
}

}  // namespace tinyllm::agent
