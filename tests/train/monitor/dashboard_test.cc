#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/monitor/dashboard.h>
#include <tinyllm/train/monitor/report_page.h>

#include "temp_folder.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>

namespace tinyllm::test {
namespace {

// What a server on this machine answers to the text of a request, up to where it closes.
std::string answer(int port, const std::string& request) {
  const int peer = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(connect(peer, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(write(peer, request.data(), request.size()) == static_cast<ssize_t>(request.size()));
  std::string text(1 << 20, '\0');
  size_t size = 0;
  for (ssize_t got = 1; got > 0; size += static_cast<size_t>(std::max<ssize_t>(got, 0))) {
    got = read(peer, text.data() + size, text.size() - size);
  }
  close(peer);
  text.resize(size);
  return text;
}

std::string get(int port, const std::string& path, const std::string& host = "localhost") {
  return answer(port, fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n\r\n", path, host));
}

std::string status(const std::string& reply) { return reply.substr(0, reply.find('\r')); }
std::string body(const std::string& reply) { return reply.substr(reply.find("\r\n\r\n") + 4); }

std::string header(const std::string& reply, const std::string& name) {
  const size_t start = reply.find(name + ": ") + name.size() + 2;
  return reply.substr(start, reply.find('\r', start) - start);
}

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

TEST_CASE("the page of a report stands alone") {
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
    log += fmt::format("{{\"step\":{},\"stage\":\"{}\",\"loss\":{},\"length\":{}}}\n", step,
                       step <= 70001 ? "one" : "two", loss, step <= 30003 ? 256 : 512);
    if (step == 40004) log += "{\"step\":0,\"run\":{}}\n";
    if (step % 1000 != 0) continue;
    log += fmt::format("{{\"step\":{},\"held_out_loss\":3.1,\"best\":true}}\n", step);
    log += fmt::format("{{\"step\":{},\"prompt\":\"a\",\"sample\":\"b\"}}\n", step);
  }
  const std::string data = data_of(report_page(log));
  CHECK(data.size() < log.size() / 8);
  CHECK(count(data, "held_out_loss") == 100);
  CHECK(count(data, "sample") == 100);
  CHECK(count(data, "\"run\"") == 1);
  for (const char* part : {"\"step\":1,", "\"step\":30003,", "\"step\":30004,", "\"step\":70001,", "\"step\":70002,",
                           "\"step\":100000,", "99.5"}) {
    CHECK_MESSAGE(data.find(part) != std::string::npos, part);
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

TEST_CASE("the live page answers to this machine's names alone, for its own two paths") {
  const TempFolder folder;
  if (!no_server(folder / "log")) return;
  const Dashboard dashboard(0, folder / "log");
  const int port = dashboard.port();
  for (const char* host : {"localhost", "localhost:81", "127.0.0.1:8000", "[::1]", "[::1]:80"}) {
    CHECK_MESSAGE(status(get(port, "/", host)) == "HTTP/1.1 200 OK", host);
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "evil.example:localhost"}) {
    CHECK_MESSAGE(status(get(port, "/metrics", host)) == "HTTP/1.1 403 Forbidden", host);
  }
  for (const char* path : {"/log", "/../log", "/metrics/../../etc/passwd", "/%2e%2e/log", "//"}) {
    CHECK_MESSAGE(status(get(port, path)) == "HTTP/1.1 404 Not Found", path);
  }
  for (const char* query : {"from=-1", "from=x", "from=99999999999999999999", "file=1&from=9223372036854775807", ""}) {
    CHECK_MESSAGE(status(get(port, std::string("/metrics?") + query)) == "HTTP/1.1 200 OK", query);
  }
  CHECK(status(answer(port, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999\r\n\r\n")) !=
        "HTTP/1.1 200 OK");
  CHECK(status(get(port, "/" + std::string(20000, 'a'))) != "HTTP/1.1 200 OK");
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
