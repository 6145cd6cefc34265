#pragma once

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace tinyllm {

/// A file of lines that only grows. Each line is written at once, so that the file is whole whenever the process is
/// killed; within a second it is on the disk. For any number of threads.
class Journal {
 public:
  /// Opens the file, or makes it, readable by its owner alone. A last line that was torn by a crash is cut off. Throws
  /// Error.
  explicit Journal(const std::filesystem::path& path);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  /// Appends a line, given without its line end. Throws Error when it cannot be written, for example because the disk
  /// is full; then nothing of it is in the file.
  void append(std::string_view line);

 private:
  void sync_now_and_then();

  std::filesystem::path path_;
  int fd_ = -1;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool is_dirty_ = false;
  bool ends_ = false;
  std::thread syncer_;
};

}  // namespace tinyllm
