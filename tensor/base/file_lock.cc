#include <tinyllm/tensor/base/file_lock.h>

#include <tinyllm/tensor/base/error.h>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tinyllm {

FileLock::FileLock(const std::filesystem::path& path)
    : fd_(open((path.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) throw Error("{}.lock: cannot be opened: {}", path.string(), std::strerror(errno));
  if (flock(fd_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;  // Some file systems have no locks.
  close(fd_);
  throw Error("{}: is in use by another process", path.string());
}

FileLock::~FileLock() { close(fd_); }

}  // namespace tinyllm
