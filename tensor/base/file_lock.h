#pragma once

#include <filesystem>

namespace tinyllm {

/// Keeps other processes, and other locks of this one, from a file: as long as it lives, or until the process ends in
/// any way. The lock is a file of its own beside it, since the file itself may be replaced.
class FileLock {
 public:
  /// Throws Error that names the file when it is locked already.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int fd_ = -1;
};

}  // namespace tinyllm
