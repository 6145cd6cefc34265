#pragma once

#include <tinyllm/runtime/agent/guard.h>
#include <tinyllm/runtime/agent/root.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm::agent {

/// A file or folder of the model of the tree on which a plan runs first.
struct Node {
  Node* parent = nullptr;
  std::string name;
  Identity identity;
  bool on_disk = true;                         ///< false: an earlier step makes it.
  std::string origin;                          ///< Where its bytes are on the disk now, if they are.
  std::shared_ptr<const std::string> content;  ///< The bytes that an earlier step gave it.
  bool loaded = false;                         ///< Whether `children` is complete.
  int64_t entries_on_disk = 0;                 ///< Of a folder that is loaded.
  std::map<std::string, std::unique_ptr<Node>, std::less<>> children;

  Node() = default;
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  bool is_folder() const { return identity.kind == Kind::folder; }
};

/// The tree below a root as it will be after some steps. Folders are read from the disk when they are first visited.
/// Nothing is written.
class Tree {
 public:
  Tree(const Root& root, const Guard& guard);

  /// Null if it is not there. Throws AgentError when a link or another file system is in the way.
  Node* find(std::string_view path);
  /// Throws AgentError with `not_found`.
  Node& need(std::string_view path);
  /// The children of a folder, read if they were not.
  std::map<std::string, std::unique_ptr<Node>, std::less<>>& children(Node& folder);
  static std::string path_of(const Node& node);

  /// Calls `visit` for a node and everything below, in byte order of paths, folders first; hidden and agent's files
  /// too. Below a folder only if `visit` returns true.
  void walk(Node& from, const std::function<bool(Node&, const std::string& path)>& visit);

  // Changes. Callers have checked that the place is free.
  Node& add(std::string_view path, Kind kind, std::shared_ptr<const std::string> content = nullptr, int64_t size = 0);
  void move(Node& node, std::string_view to);
  void remove(Node& node);

  /// The first bytes of a regular file, from the disk or from what an earlier step wrote.
  std::string beginning(const Node& node, size_t most) const;

  const Root& root() const { return root_; }
  const Guard& guard() const { return guard_; }

 private:
  void load(Node& folder);

  const Root& root_;
  const Guard& guard_;
  Node top_;
};

}  // namespace tinyllm::agent
