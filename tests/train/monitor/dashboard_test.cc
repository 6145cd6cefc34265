#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/monitor/dashboard.h>
#include <tinyllm/train/monitor/report_page.h>

#include "http_client.h"
#include "temp_folder.h"

#include <deque>
#include <fstream>
#include <optional>

namespace tinyllm::test {
namespace {

// The lines within a page.
std::string data_of(const std::string& page) {
  const std::string_view opening = R"(id="metrics">)";
  const size_t start = page.find(opening) + opening.size();
  return page.substr(start, page.find("</script>", start) - start);
}

size_t count(const std::string& text, std::string_view part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

// A live page, or none where the library was built without; then the test says so.
std::optional<int> no_server(const std::filesystem::path& log) {
  try {
    return Dashboard(0, log).port();
  } catch (const Error& error) {
    MESSAGE(error.what());
    return std::nullopt;
  }
}

}  // namespace

TEST_CASE("a report holds the lines of its run, and leaves out those that are cut off") {
  const std::string data =
      data_of(report_page("{\"step\":1,\"loss\":2.5}\n[1]\n\n{\"step\":2,\"loss\":\"nan\"}\n{\"step\":3,\"lo"));
  CHECK(data == "\n{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":\"nan\"}\n");
}

TEST_CASE("the page of a report needs nothing else") {
  const std::string page = report_page("");
  CHECK(page.find("{{metrics}}") == std::string::npos);
  CHECK(page.find("src=") == std::string::npos);
  CHECK(page.find("://") == std::string::npos);
  CHECK(data_of(page) != data_of(live_page()));
}

TEST_CASE("no text of a run becomes a part of the page") {
  const size_t scripts = count(report_page(""), "<");
  for (const char* text : {"</script><script>alert(1)</script>", "<!--<script>", "\\\"><img src=x onerror=alert(1)>",
                           "&lt;", "\\u003c/script>", "\xe2\x80\xa8", "\xff\xfe", "{{metrics}}", "'`${alert(1)}"}) {
    CAPTURE(text);
    const std::string page =
        report_page(fmt::format("{{\"step\":1,\"prompt\":\"{0}\",\"sample\":\"{0}\",\"{0}\":1}}\n", text));
    CHECK(count(page, "<") == scripts);
    CHECK_NOTHROW(check_utf8(page, "page"));
  }
}

TEST_CASE("lists inside of lists without end do no harm") {
  CHECK_NOTHROW(report_page("{\"step\":1,\"run\":" + std::string(1000000, '[') + std::string(1000000, ']') + "}\n"));
}

TEST_CASE("the report of a long run is small and keeps its peaks, its ends and all else") {
  std::string log;
  for (int step = 1; step <= 100000; ++step) {
    const double loss = step == 54321 ? 99.5 : 3.0 + step % 7 * 0.01;
    log += fmt::format("{{\"step\":{},\"stage\":\"{}\",\"loss\":{},\"seq_len\":{}}}\n", step,
                       step <= 70001 ? "one" : "two", loss, step <= 30003 ? 256 : 512);
    if (step == 40004) log += "{\"step\":0,\"run\":{}}\n";
    if (step % 1000 != 0) continue;
    log += fmt::format("{{\"step\":{},\"validation_loss\":3.1,\"best\":true}}\n", step);
    log += fmt::format("{{\"step\":{},\"prompt\":\"a\",\"sample\":\"b\"}}\n", step);
  }
  const std::string data = data_of(report_page(log));
  CHECK(data.size() < log.size() / 8);
  CHECK(count(data, "validation_loss") == 100);
  CHECK(count(data, "sample") == 100);
  CHECK(count(data, "\"run\"") == 1);
  for (const char* part : {"\"step\":1,", "\"step\":30003,", "\"step\":30004,", "\"step\":70001,", "\"step\":70002,",
                           "\"step\":100000,", "99.5"}) {
    CHECK_MESSAGE(data.find(part) != std::string::npos, part);
  }
}

TEST_CASE("the report of a long run is small whatever its lines are, and keeps the means, the best and the last") {
  std::string log = "{\"step\":0,\"run\":{\"steps\":\"100000\"}}\n";
  const std::string sample(300, '<');
  for (int step = 1; step <= 100000; ++step) {
    log += fmt::format(
        "{{\"step\":{},\"stage\":\"pretrain\",\"loss\":{},\"grad_norm\":{},\"lr\":0.0016000000759959221,"
        "\"seq_len\":512,\"tokens\":{},\"tokens_per_second\":2040.123456789,\"fraction_of_peak\":0.41234567890123,"
        "\"resident_bytes\":1234567890,\"seconds_left\":12345.678901234}}\n",
        step, step % 2 == 0 ? 2 : 4, 0.5 + step % 3, step * 4096L);
    if (step % 50 != 0) continue;
    log += fmt::format("{{\"step\":{},\"validation_loss\":{},\"perplexity\":23.456789,\"bits_per_byte\":1.2345{}}}\n",
                       step, step == 12350 ? 2.5 : 3, step == 12350 ? ",\"best\":true" : "");
    for (int i = 0; i < 3; ++i) {
      log += fmt::format("{{\"step\":{},\"prompt\":\"{}\",\"sample\":\"{}\"}}\n", step, i, sample);
    }
    log += fmt::format("{{\"step\":{},\"event\":\"the loss jumped\"}}\n", step);
  }
  const std::string page = report_page(log);
  CHECK(page.size() < 3'000'000);
  const std::string data = data_of(page);
  CHECK(count(data, "\"mean\":{\"loss\":3.0,") > 50);
  CHECK(data.find("\"step\":12350,\"validation_loss\":2.5") != std::string::npos);
  for (const char* part : {"validation_loss", "\"prompt\":\"0\"", "\"prompt\":\"2\"", "event", "stage"}) {
    const size_t line = data.rfind(part);
    REQUIRE(line != std::string::npos);
    CHECK(data.compare(data.rfind('\n', line) + 1, 14, "{\"step\":100000") == 0);
  }
}

TEST_CASE("the live page sends what is new, and everything of a log that was started again") {
  const TempFolder folder;
  const std::filesystem::path log = folder / "metrics.jsonl";
  if (!no_server(log)) return;
  const Dashboard dashboard(0, log);
  CHECK(body(get(dashboard.port(), "/")) == live_page());
  CHECK(body(get(dashboard.port(), "/metrics?file=&from=0")).empty());

  write_file(log, "{\"step\":1}\n");
  const std::string first = get(dashboard.port(), "/metrics?file=&from=0");
  CHECK(body(first) == "{\"step\":1}\n");
  const std::string next = fmt::format("/metrics?file={}&from=11", header(first, "Metrics-File"));
  CHECK(body(get(dashboard.port(), next)).empty());
  std::ofstream(log, std::ios::app) << "{\"step\":2}\n";
  CHECK(body(get(dashboard.port(), next)) == "{\"step\":2}\n");

  write_file(log, "{\"step\":5,\"run\":{}}\n");
  const std::string again = get(dashboard.port(), next);
  CHECK(header(again, "Metrics-From") == "0");
  CHECK(body(again) == "{\"step\":5,\"run\":{}}\n");
  std::filesystem::resize_file(log, 4);
  const std::string shorter = fmt::format("/metrics?file={}&from=20", header(again, "Metrics-File"));
  CHECK(body(get(dashboard.port(), shorter)) == "{\"st");
}

TEST_CASE("the live page answers requests for this machine's names and its two paths only") {
  const TempFolder folder;
  if (!no_server(folder / "log")) return;
  const Dashboard dashboard(0, folder / "log");
  const int port = dashboard.port();
  CHECK(status(get(port, "/", "localhost:81")) == "HTTP/1.1 200 OK");
  CHECK(status(get(port, "/metrics", "evil.example")) == "HTTP/1.1 403 Forbidden");
  for (const char* path : {"/log", "/../log", "/metrics/../../etc/passwd", "/%2e%2e/log", "//"}) {
    CHECK_MESSAGE(status(get(port, path)) == "HTTP/1.1 404 Not Found", path);
  }
  for (const char* query : {"from=-1", "from=x", "from=99999999999999999999", "file=1&from=9223372036854775807", ""}) {
    CHECK_MESSAGE(status(get(port, std::string("/metrics?") + query)) == "HTTP/1.1 200 OK", query);
  }
  CHECK(status(answer(port, "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")) == "HTTP/1.1 405 Method Not Allowed");
}

TEST_CASE("the live page refuses what is too large or malformed") {
  const TempFolder folder;
  if (!no_server(folder / "log")) return;
  const Dashboard dashboard(0, folder / "log");
  const auto said = [&](const std::string& request) { return status(answer(dashboard.port(), request)); };
  const std::string head = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  CHECK(said(head + "A: " + std::string(20000, 'a') + "\r\n\r\n") == "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(said(head + "Content-Length: 9999999\r\n\r\n") == "HTTP/1.1 413 Payload Too Large");
  CHECK(said(head + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n") == "HTTP/1.1 413 Payload Too Large");
  CHECK(said("GET /" + std::string(20000, 'a')) == "HTTP/1.1 414 URI Too Long");
  CHECK(said("hello\r\n\r\n") == "HTTP/1.1 400 Bad Request");
}

TEST_CASE("clients that never end their request leave files to the run and the page to others") {
  const TempFolder folder;
  if (!no_server(folder / "log")) return;
  const FileLimit limit(300);
  const Dashboard dashboard(0, folder / "log");
  std::deque<HttpClient> slow;
  for (int i = 0; i < 200; ++i) slow.emplace_back(dashboard.port()).send("GET / HTTP/1.1\r\nHost: loc");
  CHECK_NOTHROW(write_file(folder / "checkpoint", "weights"));
  CHECK(body(get(dashboard.port(), "/")) == live_page());
}

TEST_CASE("a port that is in use is an error that names it") {
  const TempFolder folder;
  if (!no_server(folder / "log")) return;
  const Dashboard dashboard(0, folder / "log");
  const std::string port = std::to_string(dashboard.port());
  CHECK_THROWS_WITH_AS(Dashboard(dashboard.port(), folder / "log"), doctest::Contains(port.c_str()), Error);
  CHECK_THROWS_WITH_AS(Dashboard(70000, folder / "log"), doctest::Contains("70000"), Error);
}

}  // namespace tinyllm::test
