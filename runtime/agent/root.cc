#include <tinyllm/runtime/agent/root.h>

#include <tinyllm/runtime/agent/names.h>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace tinyllm::agent {
namespace {

// Longer paths are resolved in pieces: the kernel takes at most 4096 bytes at once.
constexpr size_t kPiece = 2048;
constexpr int kMostRetries = 1000;

int open_beneath_at(int from, const std::string& path, int flags, uint64_t resolve) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags) | O_CLOEXEC;
  how.resolve = resolve;
  long fd = -1;
  // EAGAIN: something was renamed meanwhile, and the kernel could not be sure.
  for (int i = 0; i < kMostRetries; ++i) {
    fd = syscall(SYS_openat2, from, path.c_str(), &how, sizeof how);
    if (fd >= 0 || (errno != EAGAIN && errno != EINTR)) break;
  }
  return static_cast<int>(fd);
}

constexpr uint64_t kBeneath = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV;

std::string real_path(int fd) {
  std::array<char, 1 << 15> text{};
  const ssize_t size = readlink(fmt::format("/proc/self/fd/{}", fd).c_str(), text.data(), text.size());
  if (size <= 0) throw system_error("/proc/self/fd", size < 0 ? errno : EIO);
  return {text.data(), static_cast<size_t>(size)};
}

uint64_t mount_of(int fd) {
  struct statx status {};
  return statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) == 0 ? status.stx_mnt_id : 0;
}

Kind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return Kind::file;
  if (S_ISDIR(mode)) return Kind::folder;
  return S_ISLNK(mode) ? Kind::link : Kind::other;
}

int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000 + time.tv_nsec; }

Handle checked_regular(Handle file, std::string_view path) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) throw system_error(escaped(path), errno);
  if (!S_ISREG(status.st_mode)) {
    throw AgentError(Code::not_regular, "{}: is {}, expected a regular file", escaped(path),
                     S_ISDIR(status.st_mode) ? "a folder" : "a pipe, socket or device");
  }
  return file;
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Handle::~Handle() {
  if (fd_ >= 0) close(fd_);
}

bool Identity::is_same_content(const Identity& other) const {
  return is_same_object(other) && kind == other.kind &&
         (kind == Kind::folder || (size == other.size && modified == other.modified));
}

Identity identity_of(const struct stat& status) {
  Identity identity;
  identity.device = status.st_dev;
  identity.inode = status.st_ino;
  identity.kind = kind_of(status.st_mode);
  // How large a folder is on the disk says nothing to a reader, and changes with what was in it.
  identity.size = identity.kind == Kind::folder ? 0 : status.st_size;
  identity.modified = nanoseconds(status.st_mtim);
  identity.changed = nanoseconds(status.st_ctim);
  identity.mode = status.st_mode & 07777;
  identity.names = status.st_nlink;
  return identity;
}

std::optional<Identity> status_at(int folder, const std::string& name) {
  struct stat status {};
  if (fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw system_error(escaped(name), errno);
  }
  return identity_of(status);
}

Root::Root(const std::filesystem::path& path) : handle_(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  if (!handle_) throw system_error("root " + escaped(path.string()), errno);
  path_ = real_path(handle_.get());
  struct stat status {};
  if (fstat(handle_.get(), &status) != 0) throw system_error(escaped(path_), errno);
  device_ = status.st_dev;
  const int probe = open_beneath_at(handle_.get(), ".", O_PATH | O_DIRECTORY, kBeneath);
  kernel_resolves_ = probe >= 0;
  if (probe >= 0) close(probe);
}

Handle Root::open_folder(int from, const std::string& path, int flags) const {
  if (kernel_resolves_) return Handle(open_beneath_at(from, path, flags | O_DIRECTORY | O_NOFOLLOW, kBeneath));
  Handle folder;
  for (const std::string_view part : split_path(path)) {
    Handle next(
        openat(folder ? folder.get() : from, std::string(part).c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next && errno == ENOTDIR) {
      // Without O_PATH the kernel says ELOOP for a link; with it, a link is only not a folder.
      const auto status = status_at(folder ? folder.get() : from, std::string(part));
      errno = status && status->kind == Kind::link ? ELOOP : ENOTDIR;
    }
    struct stat status {};
    if (next && fstat(next.get(), &status) == 0 && status.st_dev != device_) {
      errno = EXDEV;
      return {};
    }
    if (!next) return {};
    folder = std::move(next);
  }
  return Handle(openat(folder ? folder.get() : from, ".", flags | O_DIRECTORY | O_CLOEXEC));
}

Handle Root::open_beneath(std::string_view path, int flags) const {
  if (path.empty()) return open_folder(handle_.get(), ".", flags);
  Handle above;
  std::string piece;
  for (const std::string_view part : split_path(path)) {
    if (piece.size() + part.size() > kPiece) {
      Handle next = open_folder(above ? above.get() : handle_.get(), piece, O_PATH);
      if (!next) return {};
      above = std::move(next);
      piece.clear();
    }
    piece = joined(piece, part);
  }
  return open_folder(above ? above.get() : handle_.get(), piece, flags);
}

Handle Root::folder(std::string_view path, int flags) const {
  Handle folder = open_beneath(path, flags);
  if (!folder && errno == ELOOP) {
    throw AgentError(Code::symlink, "{}: a link is in the way, which is not followed", escaped(path));
  }
  if (!folder && errno == ENOTDIR) {
    const auto found = status(path);
    if (found && found->kind == Kind::link) {
      throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(path));
    }
    throw AgentError(Code::not_found, "{}: is not a folder", escaped(path));
  }
  if (!folder && errno == EXDEV && kernel_resolves_) {
    // Another file system; or a neighbour has moved the folder out of the root, which the kernel reports in the same
    // way.
    const Handle other(
        open_beneath_at(handle_.get(), std::string(path), O_PATH, kBeneath & ~uint64_t{RESOLVE_NO_XDEV}));
    if (other && mount_of(other.get()) != mount_of(handle_.get())) {
      throw AgentError(Code::other_filesystem, "{}: is on another file system", escaped(path));
    }
    throw AgentError(Code::symlink, "{}: leads out of the root", escaped(path));
  }
  if (!folder) throw system_error(path.empty() ? escaped(path_) : escaped(path), errno);
  return folder;
}

Handle Root::parent(std::string_view path) const { return folder(parent_of(path), O_PATH); }

std::optional<Identity> Root::status(std::string_view path) const {
  Handle above = open_beneath(parent_of(path), O_PATH);
  if (!above && errno == ENOENT) return std::nullopt;
  if (!above) above = parent(path);  // Says why not.
  return path.empty() ? status_at(handle_.get(), ".") : status_at(above.get(), std::string(base_name(path)));
}

std::vector<std::pair<std::string, Identity>> Root::entries(std::string_view path) const {
  Handle handle = folder(path, O_RDONLY);
  const int fd = dup(handle.get());
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(fd < 0 ? nullptr : fdopendir(fd), closedir);
  if (stream == nullptr) throw system_error(escaped(path), errno);
  std::vector<std::pair<std::string, Identity>> found;
  for (;;) {
    errno = 0;
    const dirent* entry = readdir(stream.get());
    if (entry == nullptr) {
      if (errno != 0) throw system_error(escaped(path), errno);
      return found;
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    // None: it has gone since its name was read.
    if (const auto status = status_at(handle.get(), name)) found.emplace_back(std::move(name), *status);
  }
}

Handle Root::file(std::string_view path) const {
  Handle above = parent(path);
  const std::string name(base_name(path));
  const auto found = status_at(above.get(), name);
  if (!found) throw system_error(escaped(path), ENOENT);
  // Opening a device can have effects of its own. A pipe that takes the place now must not make open wait: O_NONBLOCK.
  if (found->kind == Kind::other) throw AgentError(Code::not_regular, "{}: is a pipe, socket or device", escaped(path));
  Handle file(openat(above.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ELOOP) throw AgentError(Code::symlink, "{}: is a link, which is not followed", escaped(path));
  if (!file) throw system_error(escaped(path), errno);
  return checked_regular(std::move(file), path);
}

Handle Root::file_through_links(std::string_view path, std::string& resolved) const {
  if (!kernel_resolves_) return resolved = path, file(path);
  Handle file(open_beneath_at(handle_.get(), std::string(path), O_RDONLY | O_NONBLOCK | O_NOCTTY,
                              RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV));
  if (!file && errno == EXDEV) throw AgentError(Code::symlink, "{}: is a link that leads out", escaped(path));
  if (!file) throw system_error(escaped(path), errno);
  // The root may have been renamed since it was opened.
  const std::string root = real_path(handle_.get()), whole = real_path(file.get());
  if (!is_within(whole, root) || whole == root) {
    throw AgentError(Code::symlink, "{}: is a link that leads out", escaped(path));
  }
  resolved = whole.substr(root.size() + 1);
  return checked_regular(std::move(file), path);
}

int64_t Root::free_bytes() const {
  struct statvfs space {};
  if (fstatvfs(handle_.get(), &space) != 0) throw system_error(escaped(path_), errno);
  return static_cast<int64_t>(std::min<uint64_t>(space.f_bavail, INT64_MAX / std::max<uint64_t>(space.f_frsize, 1)) *
                              space.f_frsize);
}

std::string read_text(int file, size_t most, std::string_view name) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  while (text.size() < most) {
    const ssize_t got =
        pread(file, buffer.data(), std::min(buffer.size(), most - text.size()), static_cast<off_t>(text.size()));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(escaped(name), errno);
    if (got == 0) break;
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  return text;
}

}  // namespace tinyllm::agent
