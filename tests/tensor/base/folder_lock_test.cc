#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/folder_lock.h>

#include "error_of.h"
#include "temp_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>

namespace tinyllm::test {
namespace {

// What locking the folder throws.
std::string refusal(const std::filesystem::path& folder) {
  return error_of([&] { FolderLock{folder}; });
}

// Another process that holds a folder until it is killed.
class Holder {
 public:
  explicit Holder(const std::filesystem::path& folder) {
    int ready[2];
    REQUIRE(pipe(ready) == 0);
    pid_ = fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
      try {
        const FolderLock lock(folder);
        if (write(ready[1], "x", 1) == 1) pause();
      } catch (...) {
      }
      _exit(1);
    }
    char byte = 0;
    close(ready[1]);
    REQUIRE(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
  }
  ~Holder() { end(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void end() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

}  // namespace

TEST_CASE("a folder that another process holds is refused with that process, until it is killed") {
  const TempFolder folder;
  Holder holder(folder / "model");
  const std::string said = refusal(folder / "model");
  CHECK(said.starts_with(
      fmt::format("{}: is in use by process {} (test_tensor, since ", (folder / "model").string(), holder.pid())));
  CHECK(said.ends_with(")"));
  holder.end();
  CHECK(refusal(folder / "model") == "no error");
}

TEST_CASE("a folder is free again when its lock is gone, and no file is left in it") {
  const TempFolder folder;
  std::optional<FolderLock> lock(folder.path());
  CHECK(refusal(folder.path()).find(fmt::format("is in use by process {} ", getpid())) != std::string::npos);
  lock.reset();
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK(refusal(folder.path()) == "no error");
}

TEST_CASE("a folder that a lock has made is removed with it, unless something was put in it") {
  const TempFolder folder;
  { const FolderLock lock(folder / "new"); }
  CHECK(!std::filesystem::exists(folder / "new"));
  {
    const FolderLock lock(folder / "filled");
    write_file(folder / "filled" / "model", "text");
  }
  CHECK(read_file(folder / "filled" / "model") == "text");
}

TEST_CASE("a lock file that a killed process has left, or that holds anything else, locks nothing") {
  const TempFolder folder;
  write_file(folder / FolderLock::kFile, "1\nsomebody\n2026-01-31 10:00\n");
  CHECK(refusal(folder.path()) == "no error");
  write_file(folder / FolderLock::kFile, std::string(10'000, '\n'));
  const FolderLock lock(folder.path());
  CHECK(refusal(folder.path()).find("is in use by process ") != std::string::npos);
}

TEST_CASE("a lock file that is a link is refused, and what it leads to stays") {
  const TempFolder folder;
  write_file(folder / "mine", "text");
  std::filesystem::create_symlink("mine", folder / FolderLock::kFile);
  CHECK(refusal(folder.path()).find("cannot be opened") != std::string::npos);
  CHECK(read_file(folder / "mine") == "text");
}

}  // namespace tinyllm::test
