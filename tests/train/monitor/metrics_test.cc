#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/monitor/metrics.h>
#include <tinyllm/train/monitor/report_page.h>

#include "temp_folder.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>

namespace tinyllm::test {

TEST_CASE("a log that continues keeps the lines up to a step, and removes what was cut off") {
  const TempFolder folder;
  const std::string kept = "{\"step\":0,\"run\":{}}\n{\"step\":1,\"loss\":2}\n{\"step\":2}\n";
  write_file(folder / "log", kept + "{\"step\":3}\n{\"step\":2,\"lo");
  std::vector<std::string> events;
  MetricsLog log(folder / "log", 2, [&](const std::string& event) { events.push_back(event); });
  CHECK(read_file(folder / "log") == kept);
  log.add(3, {{"loss", 0.1f}, {"lr", std::numeric_limits<double>::infinity()}});
  CHECK(read_file(folder / "log") == kept + "{\"step\":3,\"loss\":0.10000000149011612,\"lr\":\"inf\"}\n");
  CHECK(events.empty());
  MetricsLog(folder / "log", std::nullopt);
  CHECK(read_file(folder / "log").empty());
}

TEST_CASE("lines that are not metrics are removed and reported, and do not stop a run") {
  const TempFolder folder;
  const std::string good = "{\"step\":1}\n";
  const std::string nested = "{\"step\":1,\"a\":" + std::string(80000, '[') + std::string(80000, ']') + "}\n";
  for (const std::string& bad : {
           std::string("{\"step\":\"x\"}\n"),
           std::string("{\"step\":null}\n"),
           std::string("{\"step\":[1]}\n"),
           std::string("{\"step\":1.5}\n"),
           std::string("{\"step\":-1}\n"),
           std::string("{\"step\":9000000000000000000}\n"),
           std::string("{\"step\":99999999999999999999}\n"),
           std::string("{\"step\":1e999}\n"),
           std::string("{\"loss\":1}\n"),
           std::string("[1]\n"),
           std::string("null\n"),
           std::string("\n"),
           std::string("\x7f"
                       "ELF\0\n",
                       6),
           std::string("{\"step\":1,\"a\":\"\xff\"}\n"),
           std::string(80000, '[') + std::string(80000, ']') + '\n',
           "{\"step\":1,\"a\":\"" + std::string(2 << 20, 'a') + "\"}\n",
       }) {
    CAPTURE(bad.substr(0, 40));
    write_file(folder / "log", good + bad + good + bad);
    std::vector<std::string> events;
    MetricsLog(folder / "log", 10, [&](const std::string& event) { events.push_back(event); });
    CHECK(read_file(folder / "log") == good + good);
    REQUIRE(events.size() == 1);
    CHECK(events[0].find("2 lines were removed that are not metrics, first at line 2") != std::string::npos);
    CHECK(report_page(good + bad) == report_page(good));
  }
  write_file(folder / "log", nested);
  CHECK_NOTHROW(MetricsLog(folder / "log", 10));
}

TEST_CASE("a line outlives the process that wrote it") {
  const TempFolder folder;
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    MetricsLog log(folder / "log", std::nullopt);
    log.add(1, {{"loss", 2.0}});
    log.sync();
    log.add(2, {{"loss", 1.0}});
    raise(SIGKILL);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WTERMSIG(status) == SIGKILL);
  CHECK(read_file(folder / "log") == "{\"step\":1,\"loss\":2.0}\n{\"step\":2,\"loss\":1.0}\n");
}

TEST_CASE("a log that cannot be written is an error that says why") {
  CHECK_THROWS_WITH_AS(MetricsLog("/no-such-folder/log", std::nullopt), doctest::Contains("No such file"), Error);
}

}  // namespace tinyllm::test
