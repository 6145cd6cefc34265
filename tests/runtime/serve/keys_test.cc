#include <doctest/doctest.h>

#include <tinyllm/runtime/serve/gate.h>
#include <tinyllm/runtime/serve/keys.h>
#include <tinyllm/runtime/serve/limits.h>
#include <tinyllm/tensor/base/file.h>

#include "error_of.h"
#include "temp_folder.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace tinyllm::test {
namespace {

int status_of(const std::function<void()>& run) {
  try {
    run();
  } catch (const ApiError& error) {
    return error.status();
  }
  return 200;
}

}  // namespace

TEST_CASE("a key is found by what it is, and its file holds its hash alone, for its owner alone") {
  const TempFolder folder;
  const auto path = folder.path() / "keys.jsonl";
  const std::string first = new_key(path, {}), second = new_key(path, {.tokens_per_day = 5});
  const Keys keys(path);
  CHECK(keys.size() == 2);
  REQUIRE(keys.find(second) != nullptr);
  CHECK(keys.find(second)->limits.tokens_per_day == 5);
  CHECK(keys.find(first)->id != keys.find(second)->id);
  CHECK(keys.find("") == nullptr);
  CHECK(keys.find(first + " ") == nullptr);
  CHECK(read_file(path).find(first.substr(3)) == std::string::npos);
  struct stat status {};
  REQUIRE(stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  // A file that other programs can make. Source of the hash: NIST, FIPS 180-4, the example "abc".
  write_file(path, R"({"id":"a","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"})");
  CHECK(Keys(path).find("abc") != nullptr);
  write_file(path, "{\"id\":\"a\",\"sha256\":\"" + std::string(64, '0') + "\"}\n\n{\"id\":\"a\"}\n");
  CHECK(error_of([&] { Keys{path}; }).find("keys.jsonl: line 3: ") != std::string::npos);
}

TEST_CASE("processes that make keys at once lose none, and the file stays the one that it was") {
  const TempFolder folder;
  const auto path = folder.path() / "keys.jsonl";
  const std::string line = R"({"id":"a","sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"})";
  write_file(path, line);  // Without a line end.
  REQUIRE(chmod(path.c_str(), 0640) == 0);
  struct stat before {};
  REQUIRE(stat(path.c_str(), &before) == 0);
  constexpr int kProcesses = 12;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      try {
        write_file(folder.path() / std::to_string(i), new_key(path, {}));
        _exit(0);
      } catch (...) {
        _exit(1);
      }
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const Keys keys(path);
  CHECK(keys.size() == kProcesses + 1);
  CHECK(keys.find("abc") != nullptr);
  for (int i = 0; i < kProcesses; ++i) CHECK(keys.find(read_file(folder.path() / std::to_string(i))) != nullptr);
  struct stat after {};
  REQUIRE(stat(path.c_str(), &after) == 0);
  CHECK(after.st_ino == before.st_ino);  // Its owner too is what it was.
  CHECK((after.st_mode & 0777) == 0640);
}

TEST_CASE("a key that does not fit on the disk leaves the file as it was") {
  const TempFolder folder;
  const auto path = folder.path() / "keys.jsonl";
  const std::string first = new_key(path, {});
  const std::string text = read_file(path);
  rlimit before{};
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit low{.rlim_cur = text.size() + 10, .rlim_max = before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &low) == 0);
  const std::string said = error_of([&] { new_key(path, {}); });
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(said.find("cannot be written") != std::string::npos);
  CHECK(read_file(path) == text);
}

TEST_CASE("without keys, only this machine may ask, and no page from elsewhere") {
  const Gate gate({.host = "models.lan", .address = "127.0.0.2", .cors = {"http://page.example"}}, nullptr);
  const auto ask = [&](const char* host, const char* origin) {
    HttpRequest request;
    request.headers = {{"host", host}};
    if (*origin != '\0') request.headers.emplace_back("origin", origin);
    return status_of([&] { gate.check_source(request); });
  };
  for (const char* host : {"localhost:80", "LocalHost", "127.0.0.1", "127.0.0.2:80", "[::1]:8080", "models.lan:8080"})
    CHECK(ask(host, "") == 200);
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "models.lan.x", ""}) {
    CAPTURE(host);
    CHECK(ask(host, "") == 403);
  }
  CHECK(ask("localhost:80", "http://localhost:80") == 200);
  CHECK(ask("localhost:80", "http://page.example") == 200);
  for (const char* origin : {"http://localhost:81", "http://evil.example", "null", "http://page.example.evil"}) {
    CHECK(ask("localhost:80", origin) == 403);
  }
}

TEST_CASE("a key is sent in any of three headers") {
  const TempFolder folder;
  const std::string secret = new_key(folder.path() / "keys", {});
  const Gate gate({}, std::make_shared<Keys>(folder.path() / "keys"));
  const auto ask = [&](const char* name, const std::string& value) {
    HttpRequest request;
    request.headers = {{name, value}};
    return status_of([&] { gate.check_key(request); });
  };
  CHECK(ask("authorization", "Bearer " + secret) == 200);
  CHECK(ask("authorization", "bEARER " + secret) == 200);
  CHECK(ask("x-api-key", secret) == 200);
  CHECK(ask("api-key", secret) == 200);
  CHECK(ask("authorization", secret) == 401);
  CHECK(ask("authorization", "Basic " + secret) == 401);
  CHECK(ask("x-api-key", "sk-wrong") == 401);
  CHECK(ask("cookie", secret) == 401);
}

TEST_CASE("an allowance fills up evenly, and no further than it is") {
  const auto start = Clock::now();
  TokenBucket bucket(60, start);
  CHECK(bucket.level(start) == 60);
  bucket.take(61);
  CHECK(bucket.level(start) == -1);
  CHECK(bucket.seconds_until(1) == 2);
  CHECK(bucket.level(start + std::chrono::seconds(2)) == 1);
  CHECK(bucket.level(start + std::chrono::hours(1)) == 60);
}

TEST_CASE("of an allowance that is changed, what was taken stays taken") {
  const auto start = Clock::now();
  TokenBucket bucket(0, start);  // No limit.
  bucket.set_per_minute(5, start);
  CHECK(bucket.level(start) == 5);
  bucket.take(5);
  bucket.set_per_minute(600, start);
  CHECK(bucket.level(start) == 595);
  bucket.take(596);
  CHECK(bucket.level(start + std::chrono::seconds(1)) == 9);
  bucket.set_per_minute(2, start + std::chrono::seconds(1));
  CHECK(bucket.level(start + std::chrono::seconds(1)) == 2);
  bucket.take(4);
  bucket.set_per_minute(1, start + std::chrono::seconds(1));
  CHECK(bucket.level(start + std::chrono::seconds(1)) == -2);
}

TEST_CASE("the limits of a key may change while it is used") {
  Limits limits("");
  Key key{.id = "k", .hash = {}, .limits = {}};
  CHECK(limits.headers(key).empty());
  key.limits = {.requests_per_minute = 1, .tokens_per_minute = 10};
  limits.take_request(key);
  CHECK(status_of([&] { limits.take_request(key); }) == 429);
  CHECK(status_of([&] { limits.reserve(key, 11); }) == 200);
  CHECK(status_of([&] { limits.reserve(key, 1); }) == 429);
  key.limits.requests_per_minute = 0;
  CHECK(status_of([&] { limits.take_request(key); }) == 200);
  key.limits.requests_per_minute = 3;
  for (const int status : {200, 200, 200, 429}) CHECK(status_of([&] { limits.take_request(key); }) == status);
}

TEST_CASE("a day's tokens are reserved in the file before they are used, and a crash counts too much alone") {
  const TempFolder folder;
  const auto path = folder.path() / "quota.jsonl";
  const Key key{.id = "k", .hash = {}, .limits = {.tokens_per_day = 100}};
  {
    Limits limits(path);
    const auto reservation = limits.reserve(key, 60);
    CHECK(status_of([&] { limits.reserve(key, 41); }) == 429);
    limits.settle(key, reservation, 10);
    limits.reserve(key, 50);  // Never settled, as after a crash.
  }
  write_file(path, read_file(path) + "{\"day\":\"20");
  {
    Limits limits(path);
    CHECK(status_of([&] { limits.reserve(key, 41); }) == 429);
    CHECK(status_of([&] { limits.reserve(key, 40); }) == 200);
    CHECK(read_file(path).ends_with("}\n"));
    // Two that count in one file would each know half of what is used.
    CHECK(error_of([&] { Limits{path}; }) == path.string() + ": is in use by another process");
  }
  write_file(path, "{\"day\":\"2020-01-01\",\"key\":\"k\",\"tokens\":100}\n");
  CHECK(status_of([&] { Limits(path).reserve(key, 100); }) == 200);
}

TEST_CASE("where the quota cannot be written, requests are refused") {
  const TempFolder folder;
  const Key key{.id = "k", .hash = {}, .limits = {.tokens_per_day = 100}};
  rlimit before{};
  Limits limits(folder.path() / "quota.jsonl");
  limits.reserve(key, 1);
  // A file that may not grow fails as a full disk does.
  REQUIRE(getrlimit(RLIMIT_FSIZE, &before) == 0);
  const rlimit low{.rlim_cur = 60, .rlim_max = before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  REQUIRE(setrlimit(RLIMIT_FSIZE, &low) == 0);
  const int status = status_of([&] { limits.reserve(key, 1); });
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(status == 503);
  CHECK(status_of([&] { limits.reserve(key, 99); }) == 200);
  CHECK(read_file(folder.path() / "quota.jsonl").ends_with("}\n"));
}

}  // namespace tinyllm::test
