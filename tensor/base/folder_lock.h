#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace tinyllm {

/// Locks a folder for one process, so that two processes do not write it at the same time. The lock is a file in the
/// folder that says who holds it. It is released when the object is destroyed or the process ends in any way, `kill -9`
/// too.
class FolderLock {
 public:
  /// Makes the folder if it is missing and locks it, or throws Error when another process holds it: "model: is in use
  /// by process 1234 (pretrain, since 14:02)". If the file system has no locks, `on_note` receives a message, and
  /// nothing is locked.
  explicit FolderLock(const std::filesystem::path& folder, const std::function<void(const std::string&)>& on_note = {});
  /// Also removes the folder if the constructor made it and it is empty.
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

  /// The name of the lock file.
  static constexpr const char* kFile = ".tinyllm.lock";

 private:
  std::filesystem::path path_;
  bool made_folder_;
  int file_ = -1;
};

}  // namespace tinyllm
