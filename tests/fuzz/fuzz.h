// What the fuzz targets share. A target is a function of bytes from outside: it may refuse them with tinyllm::Error,
// and nothing else may happen.
#pragma once

#include <tinyllm/tensor/base/error.h>

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

namespace tinyllm::test {

/// A file in memory with these bytes, for readers that take a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : fd_(memfd_create("input", MFD_CLOEXEC)) {
    if (fd_ < 0 || write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) std::abort();
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

/// A folder in memory that is removed when the program ends, for readers that replace files.
inline const std::filesystem::path& memory_folder() {
  struct Folder {
    std::filesystem::path path;
    Folder() {
      std::string name = "/dev/shm/tinyllm-fuzz-XXXXXX";
      if (mkdtemp(name.data()) == nullptr) std::abort();
      path = name;
    }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Folder folder;
  return folder.path;
}

/// Runs `read`, which may throw Error.
template <class Read>
void may_refuse(Read read) {
  try {
    read();
  } catch (const Error&) {
  }
}

/// Ends the program, which the fuzzer reports, unless a property holds.
inline void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes numbers from the front of the bytes; zeros once there are none left.
class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  T take() {
    T value{};
    rest_.copy(reinterpret_cast<char*>(&value), sizeof value);
    rest_.remove_prefix(std::min(rest_.size(), sizeof value));
    return value;
  }
  std::string_view take(size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool empty() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

/// The target, defined once in each program of this folder.
void fuzz(std::string_view bytes);

}  // namespace tinyllm::test
