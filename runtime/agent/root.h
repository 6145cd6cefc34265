#pragma once

#include <tinyllm/runtime/agent/error.h>

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tinyllm::agent {

/// A descriptor that is closed with its owner.
class Handle {
 public:
  Handle() = default;
  explicit Handle(int fd) : fd_(fd) {}
  Handle(Handle&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle();

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

enum class Kind : uint8_t { file, folder, link, other };

/// What tells a file system object from another one, and whether it has changed. Times are nanoseconds since 1970.
struct Identity {
  uint64_t device = 0, inode = 0;
  int64_t size = 0, modified = 0, changed = 0;
  uint32_t mode = 0;
  uint64_t names = 1;
  Kind kind = Kind::other;

  /// Whether it is the same object with the same bytes. A rename alters `changed`, which is not compared.
  bool is_same_content(const Identity& other) const;
  bool is_same_object(const Identity& other) const { return device == other.device && inode == other.inode; }
};
Identity identity_of(const struct stat& status);

/// The third stage of the guard: everything is reached from one handle, which was opened once. The kernel resolves
/// paths beneath it (openat2), without links, magic links or other file systems; where it cannot, each folder is opened
/// from the one above it. Paths are checked ones, such as `docs/a.md`.
class Root {
 public:
  /// `path` may be a link, which is followed once. Throws AgentError when it is not a folder.
  explicit Root(const std::filesystem::path& path);

  const std::string& path() const { return path_; }
  int handle() const { return handle_.get(); }
  uint64_t device() const { return device_; }
  /// Whether the kernel has openat2.
  bool kernel_resolves() const { return kernel_resolves_; }
  /// As on a kernel without openat2, for tests.
  void walk_by_components() { kernel_resolves_ = false; }

  /// A handle of a folder with these flags of open(2). Throws AgentError.
  Handle folder(std::string_view path, int flags) const;
  /// A handle that names in it can be used with.
  Handle parent(std::string_view path) const;
  /// None if it is not there.
  std::optional<Identity> status(std::string_view path) const;
  /// The entries of a folder, in no order. Throws AgentError.
  std::vector<std::pair<std::string, Identity>> entries(std::string_view path) const;
  /// A regular file for reading. Throws AgentError: `not_regular` for a pipe, device or folder, `symlink`.
  Handle file(std::string_view path) const;
  /// The same through links that stay inside the root; `resolved` becomes the path of the file.
  Handle file_through_links(std::string_view path, std::string& resolved) const;
  /// Bytes that are free for this user.
  int64_t free_bytes() const;

 private:
  Handle open_folder(int from, const std::string& path, int flags) const;
  Handle open_beneath(std::string_view path, int flags) const;

  Handle handle_;
  std::string path_;
  uint64_t device_ = 0;
  bool kernel_resolves_ = true;
};

/// The status of a name in a folder; none if it is not there.
std::optional<Identity> status_at(int folder, const std::string& name);
/// At most `most` bytes of a file from its beginning. `name` is for messages. Throws AgentError.
std::string read_text(int file, size_t most, std::string_view name);

}  // namespace tinyllm::agent
