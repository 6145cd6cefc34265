#include <tinyllm/tensor/base/folder_lock.h>

#include <tinyllm/tensor/base/file.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string_view>

namespace tinyllm {
namespace {

constexpr const char* kTimeFormat = "%Y-%m-%d %H:%M";
constexpr size_t kDate = std::string_view("2026-01-31 ").size();

std::string now() {
  const std::time_t seconds = std::time(nullptr);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), kTimeFormat, &local)};
}

// The holder of the lock, as its file says: the process, the program and the time, one per line.
std::string holder_of(int file) {
  std::array<char, 256> text{};
  const ssize_t size = pread(file, text.data(), text.size(), 0);
  const std::string_view said(text.data(), size > 0 ? static_cast<size_t>(size) : 0);
  const size_t first = said.find('\n');
  const size_t second = first == said.npos ? said.npos : said.find('\n', first + 1);
  const size_t third = second == said.npos ? said.npos : said.find('\n', second + 1);
  if (third == said.npos) return "another process";  // It has not written the file yet.
  std::string_view since = said.substr(second + 1, third - second - 1);
  const std::string today = now().substr(0, kDate);
  if (since.starts_with(today)) since.remove_prefix(kDate);
  return fmt::format("process {} ({}, since {})", said.substr(0, first), said.substr(first + 1, second - first - 1),
                     since);
}

bool has_name(int file, const std::filesystem::path& path) {
  struct stat locked {};
  struct stat named {};
  return fstat(file, &locked) == 0 && lstat(path.c_str(), &named) == 0 && locked.st_ino == named.st_ino &&
         locked.st_dev == named.st_dev;
}

int lock(int file) {
  int result = 0;
  do {
    result = flock(file, LOCK_EX | LOCK_NB);
  } while (result != 0 && errno == EINTR);
  return result;
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder, const std::function<void(const std::string&)>& on_note)
    : path_(folder / kFile), made_folder_(!is_there(folder)) {
  make_folder(folder);
  for (;;) {
    const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0644);
    if (file < 0) throw Error("{}: cannot be opened: {}", path_.string(), std::strerror(errno));
    if (lock(file) != 0) {
      const int reason = errno;
      const std::string holder = holder_of(file);
      close(file);
      if (reason == EWOULDBLOCK) throw Error("{}: is in use by {}", folder.string(), holder);
      unlink(path_.c_str());
      if (on_note) {
        on_note(fmt::format("{}: cannot be locked ({}); do not let two programs write it at the same time",
                            folder.string(), std::strerror(reason)));
      }
      return;
    }
    file_ = file;
    if (has_name(file, path_)) break;
    // The process that held the lock has removed the file since it was opened.
    close(file);
    file_ = -1;
  }
  const std::string text = fmt::format("{}\n{}\n{}\n", getpid(), program_invocation_short_name, now());
  if (ftruncate(file_, 0) != 0 || pwrite(file_, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    const int reason = errno;
    unlink(path_.c_str());
    close(file_);
    throw Error("{}: cannot be written: {}", path_.string(), std::strerror(reason));
  }
}

FolderLock::~FolderLock() {
  if (file_ < 0) return;
  unlink(path_.c_str());  // It is removed while it is locked, so that the next process creates a new one.
  close(file_);
  if (made_folder_) rmdir(path_.parent_path().c_str());  // Fails if it is not empty.
}

}  // namespace tinyllm
