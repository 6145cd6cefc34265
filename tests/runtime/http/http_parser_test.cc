#include <doctest/doctest.h>

#include <tinyllm/runtime/http/http_parser.h>

#include <tuple>

namespace tinyllm::test {
namespace {

constexpr HttpLimits kLimits = {.request_line_bytes = 100, .header_bytes = 300, .header_lines = 5, .body_bytes = 10};

// 0: accepted.
int status_of(std::string_view bytes, bool is_loopback = true) {
  try {
    parse_http(bytes, kLimits, is_loopback);
    return 0;
  } catch (const HttpError& error) {
    CHECK(std::string_view(error.what()) != "");
    return error.status();
  }
}

std::string get_with(std::string_view headers) {
  return fmt::format("GET / HTTP/1.1\r\nHost: localhost\r\n{}\r\n", headers);
}

std::string post(std::string_view headers, std::string_view body) {
  return fmt::format("POST / HTTP/1.1\r\nHost: localhost\r\n{}\r\n\r\n{}", headers, body);
}

}  // namespace

TEST_CASE("a request is its method, path, query, headers and body") {
  const HttpRequest request = parse_http(
      "PUT /a%20b/%E4%B8%AD?x=1%262&y&x=+&=z HTTP/1.1\r\nHost: [::1]:80\r\nX-Name:  value \r\nContent-Length: "
      "3\r\n\r\nabcGET",
      kLimits);
  CHECK(request.method == "PUT");
  CHECK(request.path == "/a b/中");
  CHECK(request.query == HttpFields{{"x", "1&2"}, {"y", ""}, {"x", " "}, {"", "z"}});
  CHECK(request.header("x-name") == "value");
  CHECK(request.header("other") == "");
  CHECK(request.parameter("x") == "1&2");
  CHECK_FALSE(request.parameter("z"));
  CHECK(request.body == "abc");
}

TEST_CASE("the bytes of a request may arrive in any pieces, and those of the next are left") {
  for (const auto& [chunks, expected] : {std::pair("3;a=b\r\nabc\r\n4\r\ndefg\r\n0\r\nHost: evil\r\n\r\n", "abcdefg"),
                                         std::pair("1\r\na\r\n0\r\n\r\n", "a"), std::pair("0\r\n\r\n", "")}) {
    const std::string first = post("Transfer-Encoding: chunked", chunks);
    const std::string bytes = first + "GET /";
    for (size_t piece = 1; piece <= bytes.size(); ++piece) {
      RequestParser parser(kLimits, true);
      size_t used = 0;
      for (size_t from = 0; parser.state() != RequestParser::State::done; from += piece) {
        used += parser.add(std::string_view(bytes).substr(from, piece));
      }
      CHECK(used == first.size());
      const HttpRequest request = parser.take();
      CHECK(request.body == expected);
      CHECK(request.header("host") == "localhost");
    }
  }
}

TEST_CASE("every limit is exact and has its status") {
  const std::string line = "GET /" + std::string(100 - 16, 'a') + " HTTP/1.1\r\n";
  REQUIRE(line.size() == 100);
  CHECK(status_of(line + "Host: localhost\r\n\r\n") == 0);
  CHECK(status_of("GET /a" + line.substr(5) + "Host: localhost\r\n\r\n") == 414);
  const size_t rest = 300 - get_with("a: \r\n").size();
  CHECK(status_of(get_with("a: " + std::string(rest, 'b') + "\r\n")) == 0);
  CHECK(status_of(get_with("a: " + std::string(rest + 1, 'b') + "\r\n")) == 431);
  CHECK(status_of(get_with("a: 1\r\na: 2\r\na: 3\r\na: 4\r\n")) == 0);
  CHECK(status_of(get_with("a: 1\r\na: 2\r\na: 3\r\na: 4\r\na: 5\r\n")) == 431);
  CHECK(status_of(post("Content-Length: 10", "0123456789")) == 0);
  CHECK(status_of(post("Content-Length: 11", "")) == 413);
  const std::string chunked = "Transfer-Encoding: chunked";
  CHECK(status_of(post(chunked, "5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n")) == 0);
  CHECK(status_of(post(chunked, "5\r\n01234\r\n6\r\n")) == 413);
  CHECK(status_of(post(chunked, "FFFFFFFFFFFFFFFF\r\n")) == 413);
  CHECK(status_of(post(chunked, "1;" + std::string(1000, 'a'))) == 413);
  CHECK(status_of(post(chunked, "0\r\na: " + std::string(1000, 'b'))) == 413);
}

TEST_CASE("a limit is noticed before the rest arrives") {
  CHECK(status_of("GET /" + std::string(96, 'a')) == 414);
  CHECK(status_of("GET / HTTP/1.1\r\na: " + std::string(300, 'b')) == 431);
  CHECK(status_of(post("Content-Length: 99999999999999999999", "")) == 400);
  CHECK(status_of(post("Content-Length: 18446744073709551615", "")) == 413);
}

TEST_CASE("requests that two programs could understand in two ways are refused") {
  for (const auto& [bytes, expected] : {
           std::tuple<std::string, int>{"", 400},
           {"\r\n\r\n", 400},
           {"garbage\r\n\r\n", 400},
           {"GET / HTTP/1.1\n\n", 400},
           {"\x16\x03\x01\x02", 400},
           {"GET / HTTP/1.1\r\n\r\n", 400},
           {"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", 505},
           {"GET / HTTP/1.9\r\nHost: localhost\r\n\r\n", 505},
           {"GET http://localhost/ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
           {"GET * HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
           {"GET  / HTTP/1.1\r\nHost: localhost\r\n\r\n", 400},
           {get_with("Host: localhost\r\n"), 400},
           {get_with("a: b\r\n c\r\n"), 400},
           {get_with("a : b\r\n"), 400},
           {get_with("a\r\n"), 400},
           {get_with("a: b\rc\r\n"), 400},
           {get_with("a: b\nc: d\r\n"), 400},
           {get_with(std::string("a: \0\r\n", 6)), 400},
           {post("Content-Length: 1\r\nContent-Length: 2", "ab"), 400},
           {post("Content-Length: 1\r\nTransfer-Encoding: chunked", "1\r\na\r\n0\r\n\r\n"), 400},
           {post("Transfer-Encoding: chunked\r\nContent-Length: 1", "1\r\na\r\n0\r\n\r\n"), 400},
           {post("Transfer-Encoding: gzip", ""), 501},
           {post("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"), 501},
           {post("Transfer-Encoding: chunked", "x\r\n"), 400},
           {post("Transfer-Encoding: chunked", "-1\r\n"), 400},
           {post("Content-Length: -1", ""), 400},
           {post("Content-Length: +1", "a"), 400},
           {post("Content-Length: 2", "a"), 400},
           {post("Expect: 200-ok", ""), 417},
       }) {
    CHECK_MESSAGE(status_of(bytes) == expected, bytes);
  }
}

TEST_CASE("a target is decoded once, to text without control characters") {
  for (const char* target : {"/%", "/%4", "/%zz", "/%+1", "/%00", "/%0A", "/%7f", "/%ff", "/?a=%00", "/?%c0%80=1"}) {
    CHECK_MESSAGE(status_of(fmt::format("GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n", target)) == 400, target);
  }
  HttpRequest request;
  set_target(request, "/%252e%2e/a?&&b");
  CHECK(request.path == "/%2e./a");
  CHECK(request.query == HttpFields{{"b", ""}});
}

TEST_CASE("on a loopback address the host must be this machine") {
  for (const char* host : {"localhost", "localhost:81", "127.0.0.1:8000", "[::1]", "[::1]:80"}) {
    CHECK_MESSAGE(names_loopback(host), host);
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "evil.example:localhost"}) {
    CHECK_MESSAGE(!names_loopback(host), host);
  }
  const std::string elsewhere = "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n";
  CHECK(status_of(elsewhere) == 403);
  CHECK(status_of(elsewhere, false) == 0);
  CHECK(status_of("GET / HTTP/1.0\r\n\r\n") == 403);
  CHECK(status_of("GET / HTTP/1.0\r\n\r\n", false) == 0);
}

}  // namespace tinyllm::test
