#include <tinyllm/tensor/base/file.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

namespace tinyllm {
namespace {

namespace fs = std::filesystem;

// An open file that closes itself.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

[[noreturn]] void fail(const fs::path& path, const char* what) {
  throw Error("{}: {}: {}", path.string(), what, std::strerror(errno));
}

// What a path, with links followed, leads to; nothing if it is not there.
std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) == 0) return status;
  if (errno != ENOENT && errno != ENOTDIR) fail(path, "cannot be looked up");
  return std::nullopt;
}

void write_all(int fd, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "cannot be written");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

// The path may be a link, a pipe or a device. Only a regular file with one name is written.
void check_is_plain(const fs::path& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode)) {
    throw Error("{}: is not a regular file but {}; remove it", path.string(), kind_of(status.st_mode));
  }
  if (status.st_nlink > 1) throw Error("{}: has other names (hard links); remove it", path.string());
}

// If the file system has no locks, this does not wait.
void wait_for_lock(int fd) {
  while (flock(fd, LOCK_EX) != 0 && errno == EINTR) {
  }
}

// Opens a file under that name, and waits until no other process writes it. That process renames or removes its file
// when it is done, so the file may have to be opened again.
int open_alone(const fs::path& path, mode_t mode) {
  for (;;) {
    // These flags neither follow a link nor wait for the reader of a pipe.
    Descriptor file{open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode)};
    struct stat named {};
    if (file.fd < 0) {
      const int error = errno;
      if (lstat(path.c_str(), &named) == 0) check_is_plain(path, named);
      errno = error;
      fail(path, "cannot be written");
    }
    struct stat locked {};
    if (fstat(file.fd, &locked) != 0) fail(path, "cannot be written");
    check_is_plain(path, locked);
    wait_for_lock(file.fd);
    if (lstat(path.c_str(), &named) != 0 || locked.st_ino != named.st_ino) continue;
    return std::exchange(file.fd, -1);
  }
}

// A new name must survive a power cut too. Some file systems cannot sync a folder; there is nothing to do about it
// then.
void sync_name(const fs::path& path) {
  const Descriptor folder{open(path.parent_path().empty() ? "." : path.parent_path().c_str(), O_RDONLY | O_CLOEXEC)};
  if (folder.fd >= 0) fsync(folder.fd);
}

// The mode of the file that will replace `path`; for a new file, before the umask.
mode_t mode_for(const fs::path& path, Access access, bool& is_new) {
  struct stat status {};
  is_new = stat(path.c_str(), &status) != 0;
  // A rename would put a file in the place of a device or a pipe.
  if (!is_new && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) {
    throw Error("{}: is not a regular file but {}, and is not replaced", path.string(), kind_of(status.st_mode));
  }
  const mode_t mode = is_new ? 0666 : status.st_mode & 0777;
  return access == Access::owner ? mode & 0600 : mode;
}

}  // namespace

RandomAccessFile::RandomAccessFile(const fs::path& path) : path_(path) {
  // Does not wait for the writer of a pipe.
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat status {};
  if (file.fd < 0 || fstat(file.fd, &status) != 0) fail(path, "cannot be opened");
  if (!S_ISREG(status.st_mode)) throw Error("{}: is not a regular file but {}", path.string(), kind_of(status.st_mode));
  size_ = static_cast<uint64_t>(status.st_size);
  fd_ = std::exchange(file.fd, -1);
}

RandomAccessFile::~RandomAccessFile() { close(fd_); }

void RandomAccessFile::read(uint64_t at, std::span<std::byte> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path_, "cannot be read");
    if (got == 0) throw Error("{}: ends at byte {}, expected {} more", path_.string(), at, bytes.size());
    at += static_cast<uint64_t>(got);
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

MappedFile::MappedFile(const fs::path& path) : file_(path) {
  if (file_.size() == 0) return;
  void* memory = mmap(nullptr, file_.size(), PROT_READ, MAP_PRIVATE, file_.descriptor(), 0);
  if (memory == MAP_FAILED) fail(path, "cannot be mapped");
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), file_.size());
}

std::span<const std::byte> MappedFile::bytes() const {
  struct stat status {};
  if (fstat(file_.descriptor(), &status) != 0) fail(file_.path(), "cannot be read");
  if (static_cast<uint64_t>(status.st_size) < file_.size()) {
    throw Error("{}: was cut to {} bytes while it was read, expected {}", file_.path().string(), status.st_size,
                file_.size());
  }
  return {data_, file_.size()};
}

std::string_view MappedFile::text() const {
  const std::span<const std::byte> all = bytes();
  return {reinterpret_cast<const char*>(all.data()), all.size()};
}

std::string read_file(const fs::path& path, uint64_t most) {
  const RandomAccessFile file(path);
  if (file.size() > most) {
    throw Error("{}: has {} bytes, expected at most {}", path.string(), file.size(), most);
  }
  std::string text;
  try {
    text.resize(file.size());
  } catch (const std::exception&) {
    throw Error("{}: its {} bytes do not fit into memory", path.string(), file.size());
  }
  file.read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

fs::path part_of(const fs::path& path) { return path.string() + ".part"; }

void write_file(const fs::path& path, const std::function<void(const Append&)>& fill, Access access) {
  bool is_new = true;
  const mode_t mode = mode_for(path, access, is_new);
  const fs::path part = part_of(path);
  const Descriptor file{open_alone(part, mode)};
  try {
    if ((!is_new || access == Access::owner) && fchmod(file.fd, mode) != 0) fail(part, "cannot be given its mode");
    if (ftruncate(file.fd, 0) != 0) fail(part, "cannot be written");
    fill([&](std::span<const std::byte> bytes) { write_all(file.fd, bytes, part); });
    if (fsync(file.fd) != 0) fail(part, "cannot be written");
    if (std::rename(part.c_str(), path.c_str()) != 0) fail(path, "cannot be replaced");
  } catch (...) {
    unlink(part.c_str());
    throw;
  }
  sync_name(path);
}

void write_file(const fs::path& path, std::string_view text, Access access) {
  write_file(
      path, [&](const Append& append) { append(std::as_bytes(std::span(text))); }, access);
}

void append_line(const fs::path& path, std::string_view line, Access access) {
  const mode_t mode = access == Access::owner ? 0600 : 0666;
  // Does not wait for the reader of a pipe.
  const Descriptor file{open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, mode)};
  struct stat status {};
  if (file.fd < 0) fail(path, "cannot be written");
  wait_for_lock(file.fd);
  if (fstat(file.fd, &status) != 0) fail(path, "cannot be written");
  if (!S_ISREG(status.st_mode)) throw Error("{}: is not a regular file but {}", path.string(), kind_of(status.st_mode));
  char last = '\n';
  if (status.st_size > 0 && pread(file.fd, &last, 1, status.st_size - 1) != 1) fail(path, "cannot be read");
  const std::string text = fmt::format("{}{}\n", last == '\n' ? "" : "\n", line);
  try {
    write_all(file.fd, std::as_bytes(std::span(text)), path);
    if (fsync(file.fd) != 0) fail(path, "cannot be written");
  } catch (...) {
    [[maybe_unused]] const int cut = ftruncate(file.fd, status.st_size);
    throw;
  }
  sync_name(path);
}

void make_folder(const fs::path& path) {
  std::error_code error, ignored;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path, ignored)) {
    throw Error("{}: the folder cannot be made: {}", path.string(), error ? error.message() : "a file has that name");
  }
  if (access(path.c_str(), W_OK | X_OK) != 0) fail(path, "files cannot be made in this folder");
}

bool is_there(const fs::path& path) {
  struct stat status {};
  if (lstat(path.c_str(), &status) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) fail(path, "cannot be looked up");
  return false;
}

bool is_folder(const fs::path& path) {
  const auto status = status_of(path);
  return status && S_ISDIR(status->st_mode);
}

bool is_same(const fs::path& a, const fs::path& b) {
  const auto one = status_of(a), other = status_of(b);
  return one && other && one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  if (error == std::errc::no_such_file_or_directory) return names;
  while (!error && entry != fs::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  if (error) throw Error("{}: the folder cannot be read: {}", folder.string(), error.message());
  std::sort(names.begin(), names.end());
  return names;
}

fs::path absolute_path(const fs::path& path) {
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  if (error) throw Error("{}: has no absolute path: {}", path.string(), error.message());
  return absolute.lexically_normal();
}

void remove_file(const fs::path& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) fail(path, "cannot be removed");
}

}  // namespace tinyllm
