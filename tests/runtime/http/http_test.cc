#include "runtime/http/kept_reply.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <future>
#include <thread>

namespace tinyllm::test {
TEST_CASE("a server answers requests on one connection, one after the other") {
  const HttpServer server = serve(say_path);
  CHECK(body(get(server.port(), "/a%20b")) == "/a b");
  HttpClient client(server.port());
  client.send("GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\nGET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n");
  client.send("GET /3 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string replies = client.read_all();
  const size_t first = replies.find("/1"), second = replies.find("/2"), third = replies.find("/3");
  CHECK(first < second);
  CHECK(second < third);
  CHECK(third != std::string::npos);
}

TEST_CASE("a connection is closed after its limit of requests") {
  const HttpServer server = serve(say_path, {.requests = 2});
  HttpClient client(server.port());
  client.send(kGet + kGet + kGet);
  const std::string replies = client.read_all();
  CHECK(replies.find("Connection: keep-alive") < replies.find("Connection: close"));
  CHECK(replies.rfind("HTTP/1.1 200 OK") < replies.find("Connection: close"));
}

TEST_CASE("a refused client learns why, even while it still sends") {
  const HttpServer server = serve(say_path, {.body_bytes = 100});
  const auto said = [&](const std::string& request) { return status(answer(server.port(), request)); };
  CHECK(said(kGet.substr(0, kGet.size() - 2) + std::string(200000, 'a')) ==
        "HTTP/1.1 431 Request Header Fields Too Large");
  CHECK(said("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n" + std::string(500000, 'a')) ==
        "HTTP/1.1 413 Payload Too Large");
  CHECK(said("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" +
             std::string(101, 'a')) == "HTTP/1.1 413 Payload Too Large");
  CHECK(said("nonsense\r\n\r\n") == "HTTP/1.1 400 Bad Request");
  CHECK(status(get(server.port(), "/", "evil.example")) == "HTTP/1.1 403 Forbidden");
}

TEST_CASE("a handler that throws, or forgets to reply, gives status 500") {
  const HttpServer server = serve([](HttpRequest&& request, HttpReply&&) {
    if (request.path == "/error") throw Error("the disk is full");
    if (request.path == "/number") throw 7;
  });
  const std::string error = get(server.port(), "/error");
  CHECK(status(error) == "HTTP/1.1 500 Internal Server Error");
  CHECK(body(error) == "the disk is full\n");
  CHECK(status(get(server.port(), "/number")) == "HTTP/1.1 500 Internal Server Error");
  CHECK(status(get(server.port(), "/nothing")) == "HTTP/1.1 500 Internal Server Error");
}

TEST_CASE("a reply to HEAD has only headers") {
  const HttpServer server = serve(say_path);
  const std::string reply = answer(server.port(), "HEAD /abc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  CHECK(header(reply, "Content-Length") == "4");
  CHECK(body(reply).empty());
}

TEST_CASE("a client that asks before it sends a body gets 100 Continue") {
  const HttpServer server = serve(
      [](HttpRequest&& request, HttpReply&& reply) { reply.send(200, "text/plain", request.body); }, {.body_bytes = 3});
  HttpClient client(server.port());
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  CHECK(body(client.read_all()) == "abc");
}

TEST_CASE("a reply is streamed from another thread") {
  Kept kept;
  const HttpServer server = serve(kept.handler());
  HttpClient client(server.port());
  client.send(kGetAndClose);
  HttpReply reply = kept.reply();
  reply.start(200, "text/plain");
  CHECK(reply.write("one "));
  CHECK(client.read_until("4\r\none \r\n").ends_with("4\r\none \r\n"));
  CHECK(reply.write(""));
  CHECK(reply.write("twenty-one characters"));
  reply.finish();
  CHECK(client.read_all() == "15\r\ntwenty-one characters\r\n0\r\n\r\n");
}

TEST_CASE("a client of HTTP/1.0 gets a stream without chunks") {
  const HttpServer server = serve([](HttpRequest&&, HttpReply&& reply) {
    reply.start(200, "text/plain");
    reply.write("one ");
    reply.write("two");
    reply.finish();
  });
  const std::string reply =
      answer(server.port(), "GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  CHECK(body(reply) == "one two");
  CHECK(header(reply, "Connection") == "close");
}

TEST_CASE("a stream that is dropped ends without its last chunk") {
  Kept kept;
  const HttpServer server = serve(kept.handler());
  HttpClient client(server.port());
  client.send(kGet);
  {
    HttpReply reply = kept.reply();
    reply.start(200, "text/plain");
    reply.write("one");
    CHECK(reply.wait_until_sent());
  }
  CHECK(body(client.read_all()) == "3\r\none\r\n");
}

TEST_CASE("a client that disconnects while it waits is noticed") {
  Kept kept;
  const HttpServer server = serve(kept.handler());
  HttpClient client(server.port());
  client.send(kGet);
  HttpReply reply = kept.reply();
  CHECK_FALSE(reply.is_gone());
  auto gone = std::make_shared<std::promise<void>>();
  reply.on_gone([gone] { gone->set_value(); });
  client.close();
  REQUIRE(gone->get_future().wait_for(kWatchdog) == std::future_status::ready);
  CHECK(reply.is_gone());
  reply.start(200, "text/plain");
  CHECK_FALSE(reply.write("one"));
  CHECK_FALSE(reply.wait_until_sent());
  bool is_told = false;
  reply.on_gone([&] { is_told = true; });
  CHECK(is_told);
}

TEST_CASE("what a client leaves unread is bounded") {
  Kept kept;
  const HttpServer server = serve(kept.handler(), {.unsent_bytes = 1 << 20});
  HttpClient client(server.port());
  client.send(kGet);
  HttpReply reply = kept.reply();
  reply.start(200, "text/plain");
  const std::string piece(100000, 'a');
  size_t pieces = 0;
  // What the buffers of the two sockets hold comes on top: that is the system's choice.
  constexpr size_t kMost = 20000;
  for (; pieces < kMost && reply.write(piece); ++pieces) {
    // What the server's thread has had no time to send does not count.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(pieces < kMost);
  CHECK_FALSE(reply.write(piece));
  CHECK(reply.is_gone());
}

TEST_CASE("replies are used in order, and headers cannot be split") {
  const HttpServer server = serve([](HttpRequest&&, HttpReply&& reply) {
    CHECK_THROWS_AS(reply.write("a"), Error);
    CHECK_THROWS_AS(reply.finish(), Error);
    CHECK_THROWS_AS(reply.wait_until_sent(), Error);
    CHECK_THROWS_WITH_AS(reply.send(200, "text/plain", "", {{"A", "b\r\nC: d"}}), doctest::Contains("A"), Error);
    reply.send(200, "text/plain", "");
    CHECK_THROWS_AS(reply.send(200, "text/plain", ""), Error);
    CHECK_THROWS_AS(reply.start(200, "text/plain"), Error);
  });
  CHECK(status(get(server.port(), "/")) == "HTTP/1.1 200 OK");
}

TEST_CASE("connections beyond the limit replace those that have been waited for longest") {
  const HttpServer server = serve(say_path, {.connections = 4});
  std::deque<HttpClient> slow;
  for (int i = 0; i < 200; ++i) {
    slow.emplace_back(server.port()).send("GET / HTTP/1.1\r\nHost: loc");
  }
  CHECK(status(get(server.port(), "/")) == "HTTP/1.1 200 OK");
  CHECK(slow.front().read_all().empty());
  slow.back().send("alhost\r\nConnection: close\r\n\r\n");
  CHECK(status(slow.back().read_all()) == "HTTP/1.1 200 OK");
}

TEST_CASE("connections that wait for their reply are not replaced") {
  std::promise<HttpReply> promise;
  const HttpServer server =
      serve([&](HttpRequest&&, HttpReply&& reply) { promise.set_value(std::move(reply)); }, {.connections = 1});
  HttpClient first(server.port());
  first.send(kGetAndClose);
  HttpReply reply = promise.get_future().get();
  CHECK(status(HttpClient(server.port()).read_all()) == "HTTP/1.1 503 Service Unavailable");
  reply.send(200, "text/plain", "done");
  CHECK(body(first.read_all()) == "done");
}

TEST_CASE("no number of clients takes more than a quarter of the files") {
  const FileLimit limit(400);
  const HttpServer server = serve(say_path, {.connections = 100000});
  std::deque<HttpClient> slow;
  for (int i = 0; i < 200; ++i) slow.emplace_back(server.port()).send("G");
  CHECK(std::ifstream("/proc/self/statm").is_open());
  CHECK(status(get(server.port(), "/")) == "HTTP/1.1 200 OK");
}

TEST_CASE("a client that is too slow is disconnected") {
  const std::chrono::milliseconds soon(1);
  for (const HttpLimits& limits : {HttpLimits{.idle_timeout = soon}, HttpLimits{.header_timeout = soon}}) {
    const HttpServer server = serve(say_path, limits);
    HttpClient client(server.port());
    if (limits.header_timeout == soon) client.send("GET");
    CHECK(client.read_all().empty());
  }
  const HttpServer server = serve(say_path, {.body_bytes = 9, .body_timeout = soon});
  CHECK(answer(server.port(), "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na").empty());
}

TEST_CASE("a client that sends a byte now and then does not put off the end of its time") {
  const std::chrono::milliseconds soon(50);
  const auto bytes_taken = [](const HttpServer& server, const std::string& begin) {
    HttpClient client(server.port());
    client.send(begin);
    int bytes = 0;
    // Far more bytes than it has time for, and fewer than a header or a body may have.
    for (; bytes < 4000 && client.send("a"); ++bytes) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    return bytes;
  };
  const HttpServer header = serve(say_path, {.header_timeout = soon});
  CHECK(bytes_taken(header, "GET / HTTP/1.1\r\nX: ") < 4000);
  const HttpServer body = serve(say_path, {.body_bytes = 9000, .body_timeout = soon});
  CHECK(bytes_taken(body, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n") < 4000);
}

TEST_CASE("a client that takes nothing of its reply is disconnected, while others are answered") {
  Kept kept;
  const HttpServer server = serve(
      [&](HttpRequest&& request, HttpReply&& reply) {
        if (request.path == "/slow") return kept.handler()(std::move(request), std::move(reply));
        reply.send(200, "text/plain", "quick");
      },
      {.unsent_bytes = 64 << 20, .write_timeout = std::chrono::milliseconds(50)});
  HttpClient client(server.port());
  client.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  HttpReply reply = kept.reply();
  auto gone = std::make_shared<std::promise<void>>();
  reply.on_gone([gone] { gone->set_value(); });
  reply.start(200, "text/plain");
  for (int i = 0; i < 32; ++i) reply.write(std::string(1 << 20, 'a'));  // More than the sockets take.
  CHECK(body(get(server.port(), "/")) == "quick");
  CHECK(gone->get_future().wait_for(kWatchdog) == std::future_status::ready);
  CHECK_FALSE(reply.write("a"));
}

TEST_CASE("a server stops whatever its clients do") {
  Kept kept;
  HttpServer server = serve(kept.handler());
  HttpClient silent(server.port()), halfway(server.port()), waiting(server.port());
  halfway.send("GET / HT");
  waiting.send(kGet);
  HttpReply reply = kept.reply();
  reply.start(200, "text/plain");
  reply.write(std::string(3 << 20, 'a'));  // More than its client reads.
  CHECK(ends([&] { server.stop(); }));
  CHECK(reply.is_gone());
  CHECK_FALSE(reply.wait_until_sent());
  CHECK_FALSE(reply.write("a"));
  server.stop();
}

TEST_CASE("a reply may outlive its server") {
  Kept kept;
  auto server = std::make_unique<HttpServer>(HttpOptions{}, kept.handler());
  HttpClient client(server->port());
  client.send(kGet);
  HttpReply reply = kept.reply();
  server.reset();
  reply.send(200, "text/plain", "late");
  CHECK(client.read_all().empty());
}

TEST_CASE("a graceful stop lets replies end and accepts nothing more") {
  Kept kept;
  HttpServer server = serve(kept.handler());
  HttpClient idle(server.port()), client(server.port());
  client.send(kGet);
  HttpReply reply = kept.reply();
  std::thread stopping([&] { server.stop(kWatchdog); });
  CHECK(idle.read_all().empty());  // Closed at once.
  reply.send(200, "text/plain", "done");
  CHECK(body(client.read_all()) == "done");
  client.close();
  stopping.join();
}

TEST_CASE("an address that cannot be used is an error that names it") {
  const HttpServer server = serve(say_path);
  const auto open = [](const HttpOptions& options) { HttpServer(options, say_path); };
  CHECK_THROWS_WITH_AS(open({.port = server.port()}), doctest::Contains(std::to_string(server.port()).c_str()), Error);
  CHECK_THROWS_WITH_AS(open({.port = 70000}), doctest::Contains("70000"), Error);
  CHECK_THROWS_WITH_AS(open({.port = -1}), doctest::Contains("-1"), Error);
  CHECK_THROWS_WITH_AS(open({.address = "nowhere"}), doctest::Contains("nowhere"), Error);
}

TEST_CASE("a request is checked before its body is read, and a refusal has the form that was asked for") {
  HttpOptions options{.limits = {.body_bytes = 100}, .checks_host = false};
  std::string seen;
  options.check = [&](const HttpRequest& request) -> std::optional<HttpRefusal> {
    seen = request.path;
    if (request.header("key") == "right") return std::nullopt;
    return HttpRefusal{.status = 401, .type = "text/x", .body = "no", .headers = {{"Hint", "key"}}};
  };
  options.refusal = [](int status, std::string_view) {
    return HttpRefusal{.status = status, .type = "text/y", .body = "wrong"};
  };
  const HttpServer server(options, say_path);
  const auto ask = [&](const std::string& header) {
    HttpClient client(server.port());
    client.send("POST /a HTTP/1.1\r\nHost: elsewhere\r\n" + header + "\r\n");
    return client.read_all();
  };
  const std::string refused = ask("Content-Length: 50\r\n");
  CHECK(refused.starts_with("HTTP/1.1 401 "));
  CHECK(refused.find("Content-Type: text/x\r\n") != std::string::npos);
  CHECK(refused.find("Hint: key\r\n") != std::string::npos);
  CHECK(refused.ends_with("\r\n\r\nno"));
  CHECK(seen == "/a");
  // `100 Continue` is not sent before the check.
  CHECK(ask("Content-Length: 50\r\nExpect: 100-continue\r\n").starts_with("HTTP/1.1 401 "));
  CHECK(ask("Key: right\r\nContent-Length: 101\r\n").ends_with("\r\n\r\nwrong"));
  CHECK(ask("Key: right\r\nConnection: close\r\n").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("tasks that are posted run on the server's thread, in order") {
  HttpServer server = serve(say_path);
  std::vector<int> order;
  std::thread::id thread;
  for (int i = 0; i < 100; ++i) {
    server.post([&, i] {
      order.push_back(i);
      thread = std::this_thread::get_id();
    });
  }
  HttpClient client(server.port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  client.read_all();
  server.stop();
  CHECK(order.size() == 100);
  CHECK(std::ranges::is_sorted(order));
  CHECK(thread != std::this_thread::get_id());
}

}  // namespace tinyllm::test
