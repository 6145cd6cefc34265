#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>

#include "error_of.h"
#include "temp_folder.h"

#include <atomic>
#include <thread>
#include <vector>

#include <sys/stat.h>

namespace tinyllm::test {
namespace {

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

}  // namespace

TEST_CASE("a file that cannot be written is named, and the old file stays") {
  const TempFolder folder;
  CHECK_THROWS_AS(write_file("/dev/full/x", "new"), Error);
  CHECK_THROWS_AS(write_file(folder / "no/such/folder/x", "new"), Error);
  write_file(folder / "x", "old");
  CHECK_THROWS_AS(write_file(folder / "x", [](const Append&) { throw Error("in the middle"); }), Error);
  CHECK(read_file(folder / "x") == "old");
  CHECK_FALSE(std::filesystem::exists(folder / "x.part"));
}

TEST_CASE("a line is appended to a file that keeps what it is, and nothing else takes one") {
  const TempFolder folder;
  append_line(folder / "new", "one", Access::owner);
  append_line(folder / "new", "two");
  CHECK(read_file(folder / "new") == "one\ntwo\n");
  CHECK(mode_of(folder / "new") == 0600);
  write_file(folder / "open", "an end is missing");
  append_line(folder / "open", "two");
  CHECK(read_file(folder / "open") == "an end is missing\ntwo\n");
  CHECK_THROWS_AS(append_line(folder / "no/such/folder/x", "one"), Error);
  CHECK_THROWS_AS(append_line(folder.path(), "one"), Error);
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(error_of([&] { append_line(folder / "pipe", "one"); }).find("is not a regular file but a named pipe") !=
        std::string::npos);
}

TEST_CASE("threads that write one file at once each write a whole one") {
  constexpr int kWriters = 4, kTimes = 10, kPieces = 50;
  const TempFolder folder;
  const auto text = [](int writer) { return std::string(100, static_cast<char>('a' + writer)); };
  std::atomic<int> failed = 0;
  std::vector<std::thread> writers;
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      const std::string piece = text(writer);
      for (int i = 0; i < kTimes; ++i) {
        try {
          write_file(folder / "x", [&](const Append& append) {
            for (int j = 0; j < kPieces; ++j) append(std::as_bytes(std::span(piece)));
          });
        } catch (const Error&) {
          ++failed;
        }
        const std::string found = read_file(folder / "x");
        if (found.size() != kPieces * piece.size() || found.find_first_not_of(found[0]) != std::string::npos) ++failed;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  CHECK(failed == 0);
  CHECK_FALSE(std::filesystem::exists(folder / "x.part"));
}

TEST_CASE("nothing is written through a link, into a pipe or into another file") {
  const TempFolder folder;
  write_file(folder / "other", "other");
  const std::pair<const char*, std::function<void(const std::filesystem::path&)>> cases[] = {
      {"a symbolic link", [&](const auto& part) { std::filesystem::create_symlink(folder / "other", part); }},
      {"a named pipe", [](const auto& part) { REQUIRE(mkfifo(part.c_str(), 0600) == 0); }},
      {"a folder", [](const auto& part) { std::filesystem::create_directory(part); }},
      {"hard links", [&](const auto& part) { std::filesystem::create_hard_link(folder / "other", part); }},
  };
  for (const auto& [kind, make] : cases) {
    make(folder / "x.part");
    const std::string found = error_of([&] { write_file(folder / "x", "new"); });
    CHECK_MESSAGE(found.find(kind) != std::string::npos, found);
    CHECK_FALSE(std::filesystem::exists(folder / "x"));
    std::filesystem::remove(folder / "x.part");
  }
  CHECK(read_file(folder / "other") == "other");
}

TEST_CASE("a new file has the mode of the umask, a replaced one keeps its own, a private one is its owner's alone") {
  const TempFolder folder;
  const mode_t before = umask(027);
  write_file(folder / "new", "text");
  write_file(folder / "private", "text", Access::owner);
  umask(before);
  CHECK(mode_of(folder / "new") == 0640);
  CHECK(mode_of(folder / "private") == 0600);
  for (const mode_t mode : {mode_t{0600}, mode_t{0664}}) {
    REQUIRE(chmod((folder / "new").c_str(), mode) == 0);
    write_file(folder / "new", "again");
    CHECK(mode_of(folder / "new") == mode);
  }
  write_file(folder / "new", "a secret", Access::owner);
  CHECK(mode_of(folder / "new") == 0600);
  CHECK(read_file(folder / "new") == "a secret");
}

TEST_CASE("a pipe or a device is not replaced by a file") {
  const TempFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink("/dev/null", folder / "link");
  for (const auto& [name, kind] : {std::pair("pipe", "a named pipe"), {"link", "a device"}}) {
    const std::string found = error_of([&] { write_file(folder / name, "new"); });
    CHECK_MESSAGE(found.find(std::string("is not a regular file but ") + kind) != std::string::npos, found);
    CHECK_FALSE(std::filesystem::is_regular_file(folder / name));
    CHECK_FALSE(std::filesystem::exists(folder / (std::string(name) + ".part")));
  }
}

TEST_CASE("only regular files are read, and no more than is allowed") {
  const TempFolder folder;
  REQUIRE(mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(error_of([&] { read_file(folder / "pipe"); }).find("is not a regular file but a named pipe") !=
        std::string::npos);
  CHECK(error_of([&] { read_file(folder.path()); }).find("is not a regular file but a folder") != std::string::npos);
  CHECK(error_of([&] { read_file(folder / "none"); }).find("none: cannot be opened: No such file") !=
        std::string::npos);
  write_file(folder / "x", "123456");
  CHECK(read_file(folder / "x", 6) == "123456");
  CHECK(error_of([&] { read_file(folder / "x", 5); }).ends_with("x: has 6 bytes, expected at most 5"));
}

TEST_CASE("a mapped file that was cut since is an error, not the end of the process") {
  const TempFolder folder;
  write_file(folder / "x", std::string(10000, 'x'));
  const MappedFile file(folder / "x");
  CHECK(file.text().size() == 10000);
  std::filesystem::resize_file(folder / "x", 10);
  CHECK_THROWS_AS(file.bytes(), Error);
  CHECK_THROWS_AS(file.text(), Error);
}

TEST_CASE("removing what is not there is not an error, removing a folder is") {
  const TempFolder folder;
  CHECK_FALSE(is_there(folder / "x"));
  CHECK_NOTHROW(remove_file(folder / "x"));
  write_file(folder / "x", "text");
  CHECK(is_there(folder / "x"));
  remove_file(folder / "x");
  CHECK_FALSE(is_there(folder / "x"));
  CHECK_THROWS_AS(remove_file(folder.path()), Error);
}

TEST_CASE("a folder is listed by name, and one that cannot be read is an error") {
  const TempFolder folder;
  for (const char* name : {"b", "a", "c"}) write_file(folder / name, "x");
  CHECK(names_in(folder.path()) == std::vector<std::string>{"a", "b", "c"});
  CHECK(names_in(folder / "missing").empty());
  CHECK(error_of([&] { names_in(folder / "a"); }) ==
        (folder / "a").string() + ": the folder cannot be read: Not a directory");
}

TEST_CASE("what a path leads to is told with links followed") {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "inner");
  write_file(folder / "file", "x");
  std::filesystem::create_symlink("inner", folder / "link");
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(is_folder(folder / "link"));
  CHECK_FALSE(is_folder(folder / "file"));
  CHECK_FALSE(is_folder(folder / "missing"));
  CHECK(is_same(folder / "link", folder / "inner/."));
  CHECK_FALSE(is_same(folder / "file", folder / "inner"));
  CHECK_FALSE(is_same(folder / "file", folder / "missing"));
  CHECK(error_of([&] { is_folder(folder / "loop"); }) ==
        (folder / "loop").string() + ": cannot be looked up: Too many levels of symbolic links");
  CHECK(absolute_path(folder / "inner/../file") == folder / "file");
}

}  // namespace tinyllm::test
