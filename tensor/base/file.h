#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A file open for reading at any position. Copies bytes, so that nothing that happens to the file can crash the
/// reader. Threads may share it.
class RandomAccessFile {
 public:
  /// Throws Error when the file cannot be opened or is not a regular file.
  explicit RandomAccessFile(const std::filesystem::path& path);
  ~RandomAccessFile();
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Bytes of the file when it was opened.
  uint64_t size() const { return size_; }
  int descriptor() const { return fd_; }
  /// Fills `bytes` from position `at`. Throws Error when the file ends before, or cannot be read.
  void read(uint64_t at, std::span<std::byte> bytes) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  uint64_t size_ = 0;
};

/// A file mapped into memory for reading, for large files of which parts are read again and again. If another process
/// shortens the file while its bytes are read, the system ends this process (SIGBUS); each call of `bytes` and `text`
/// checks that this has not happened yet.
class MappedFile {
 public:
  /// Throws Error when the file cannot be opened or is not a regular file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  /// Throws Error when the file has become shorter since it was opened.
  std::span<const std::byte> bytes() const;
  std::string_view text() const;

 private:
  RandomAccessFile file_;
  const std::byte* data_ = nullptr;
};

/// The whole file. Throws Error when it cannot be read, or has more than `most` bytes.
std::string read_file(const std::filesystem::path& path, uint64_t most = UINT64_MAX);

/// The name of a file while it is being written: `<path>.part`.
std::filesystem::path part_of(const std::filesystem::path& path);

/// Who may read and write a file that is written: as the umask allows, or its owner alone (mode 0600).
enum class Access : uint8_t { by_umask, owner };

/// Writes a file atomically: readers see the old file or the complete new one, also after a power cut. Writes to
/// part_of(path), syncs it to the disk and renames it. Writers of the same path, also in other processes, wait for each
/// other if the file system has locks. A file that is replaced keeps its mode. `fill` calls its argument with bytes to
/// append. Throws Error (disk full, folder read-only, a link, pipe or device in its way) after removing the part.
using Append = std::function<void(std::span<const std::byte>)>;
void write_file(const std::filesystem::path& path, const std::function<void(const Append&)>& fill,
                Access access = Access::by_umask);
void write_file(const std::filesystem::path& path, std::string_view text, Access access = Access::by_umask);

/// Appends a line, given without its line end, to a file that is made if it is missing. Writers in other processes wait
/// for each other if the file system has locks. The owner and the mode of a file that is there stay; a last line
/// without an end gets one. Throws Error when the line cannot be written; then nothing of it is in the file.
void append_line(const std::filesystem::path& path, std::string_view line, Access access = Access::by_umask);

/// Makes a folder and its parents. Throws Error when that fails, or when files cannot be made in it.
void make_folder(const std::filesystem::path& path);

/// Whether something exists under that name. Throws Error if the system cannot tell.
bool is_there(const std::filesystem::path& path);
/// Whether a path, with links followed, is a folder. Throws Error if the system cannot tell.
bool is_folder(const std::filesystem::path& path);
/// Whether two paths lead to the same file or folder; false if one of them is not there. Throws Error if the system
/// cannot tell.
bool is_same(const std::filesystem::path& a, const std::filesystem::path& b);
/// The names in a folder, sorted; none if there is no such folder. Throws Error when it cannot be read.
std::vector<std::string> names_in(const std::filesystem::path& folder);
/// The path from the root, without `.` and `..`. Throws Error when there is no current folder.
std::filesystem::path absolute_path(const std::filesystem::path& path);
/// Removes a file if it is there. Throws Error when that fails.
void remove_file(const std::filesystem::path& path);

}  // namespace tinyllm
