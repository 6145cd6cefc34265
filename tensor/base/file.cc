#include <tinyllm/tensor/base/file.h>

#include <tinyllm/tensor/base/utf8.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

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

void write_all(int fd, std::span<const std::byte> bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(path, "cannot be written");
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
}

// Opens a file under that name once nobody else writes it: who wrote before has renamed or removed the file, so
// that another one may have to be opened.
int open_alone(const fs::path& path) {
  for (;;) {
    Descriptor file{open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644)};
    if (file.fd < 0) fail(path, "cannot be written");
    while (flock(file.fd, LOCK_EX) != 0 && errno == EINTR) {  // Some file systems have no locks: then nobody waits.
    }
    struct stat locked {};
    struct stat named {};
    if (fstat(file.fd, &locked) != 0) fail(path, "cannot be written");
    if (stat(path.c_str(), &named) != 0 || locked.st_ino != named.st_ino) continue;
    return std::exchange(file.fd, -1);
  }
}

// The length of the UTF-8 character at the front of `text`, or 0 when there is none (RFC 3629).
size_t utf8_length(std::string_view text) {
  const auto at = [&](size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto continues = [&](size_t i) { return i < text.size() && continues_character(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continues(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const unsigned second = at(1);
    if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second > 0x9F)) return 0;  // Overlong; a surrogate.
    return continues(1) && continues(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const unsigned second = at(1);
    if ((first == 0xF0 && second < 0x90) || (first == 0xF4 && second > 0x8F)) return 0;  // Overlong; too large.
    return continues(1) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  struct stat status {};
  if (file.fd < 0 || fstat(file.fd, &status) != 0) fail(path, "cannot be opened");
  if (!S_ISREG(status.st_mode)) throw Error("{}: is not a regular file", path.string());
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* memory = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.fd, 0);
  if (memory == MAP_FAILED) fail(path, "cannot be mapped");
  data_ = static_cast<const std::byte*>(memory);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

std::string read_file(const fs::path& path) { return std::string(MappedFile(path).text()); }

fs::path part_of(const fs::path& path) { return path.string() + ".part"; }

void write_file(const fs::path& path, const std::function<void(const Append&)>& fill) {
  const fs::path part = part_of(path);
  const Descriptor file{open_alone(part)};
  try {
    if (ftruncate(file.fd, 0) != 0) fail(part, "cannot be written");
    fill([&](std::span<const std::byte> bytes) { write_all(file.fd, bytes, part); });
    if (fsync(file.fd) != 0) fail(part, "cannot be written");
    if (std::rename(part.c_str(), path.c_str()) != 0) fail(path, "cannot be replaced");
  } catch (...) {
    unlink(part.c_str());
    throw;
  }
  // The new name too must survive a power cut. Some file systems refuse to sync a folder; nothing is lost by that.
  const Descriptor folder{open(path.parent_path().empty() ? "." : path.parent_path().c_str(), O_RDONLY | O_CLOEXEC)};
  if (folder.fd >= 0) fsync(folder.fd);
}

void write_file(const fs::path& path, std::string_view text) {
  write_file(path, [&](const Append& append) { append(std::as_bytes(std::span(text))); });
}

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error || !fs::is_directory(path)) {
    throw Error("{}: the folder cannot be made: {}", path.string(), error ? error.message() : "a file has that name");
  }
  if (access(path.c_str(), W_OK | X_OK) != 0) fail(path, "the folder cannot be written into");
}

size_t valid_utf8(std::string_view text) {
  size_t valid = 0;
  while (valid < text.size()) {
    const size_t length = utf8_length(text.substr(valid, 4));
    if (length == 0) break;
    valid += length;
  }
  return valid;
}

void check_utf8(std::string_view text, std::string_view what, size_t line, size_t byte) {
  const size_t bad = valid_utf8(text);
  if (bad == text.size()) return;
  const std::string_view before = text.substr(0, bad);
  const auto line_ends = static_cast<size_t>(std::count(before.begin(), before.end(), '\n'));
  throw Error("{}: line {}, byte {}: 0x{:02X} is not UTF-8", what, line + line_ends,
              line_ends == 0 ? byte + bad : bad - before.rfind('\n'), static_cast<unsigned char>(text[bad]));
}

std::string replace_invalid_utf8(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = utf8_length(text);
    result += length == 0 ? "\uFFFD" : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

}  // namespace tinyllm
