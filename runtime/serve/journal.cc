#include <tinyllm/runtime/serve/journal.h>

#include <tinyllm/tensor/base/error.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tinyllm {
namespace {

constexpr std::chrono::seconds kSync{1};

// Cuts off what stands after the last line end.
void cut_torn_line(int fd, off_t size) {
  char byte = 0;
  off_t end = size;
  while (end > 0 && pread(fd, &byte, 1, end - 1) == 1 && byte != '\n') --end;
  if (end != size) [[maybe_unused]]
    const int cut = ftruncate(fd, end);
}

}  // namespace

Journal::Journal(const std::filesystem::path& path)
    : path_(path), fd_(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  struct stat status {};
  if (fd_ < 0 || fstat(fd_, &status) != 0) throw Error("{}: cannot be opened: {}", path.string(), std::strerror(errno));
  if (!S_ISREG(status.st_mode)) {
    close(fd_);
    throw Error("{}: is not a regular file", path.string());
  }
  cut_torn_line(fd_, status.st_size);
  syncer_ = std::thread([this] { sync_now_and_then(); });
}

Journal::~Journal() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  syncer_.join();
  close(fd_);
}

void Journal::append(std::string_view line) {
  const std::string bytes = std::string(line) + '\n';
  const std::lock_guard lock(mutex_);
  const off_t before = lseek(fd_, 0, SEEK_END);
  const ssize_t written = write(fd_, bytes.data(), bytes.size());
  if (written != static_cast<ssize_t>(bytes.size())) {
    const int reason = written < 0 ? errno : ENOSPC;
    [[maybe_unused]] const int cut = ftruncate(fd_, before);
    throw Error("{}: cannot be written: {}", path_.string(), std::strerror(reason));
  }
  is_dirty_ = true;
  changed_.notify_all();
}

void Journal::sync_now_and_then() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return is_dirty_ || ends_; });
    if (!ends_) changed_.wait_for(lock, kSync, [&] { return ends_; });
    const bool is_last = ends_;
    is_dirty_ = false;
    lock.unlock();
    fdatasync(fd_);
    lock.lock();
    if (is_last) return;
  }
}

}  // namespace tinyllm
