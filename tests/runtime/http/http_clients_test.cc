#include "runtime/http/kept_reply.h"

#include <algorithm>
#include <vector>

// Clients that send or read in ways of their own.
namespace tinyllm::test {

TEST_CASE("a client that reads is not cut off by news that come all at once") {
  const std::string piece(100000, 'a');
  const HttpServer server = serve(
      [&](HttpRequest&&, HttpReply&& reply) {
        reply.start(200, "text/plain");
        for (int i = 0; i < 80; ++i) reply.write(piece);
        reply.finish();
      },
      {.unsent_bytes = 256 << 10});
  const std::string all = answer(server.port(), kGetAndClose);
  CHECK(std::count(all.begin(), all.end(), 'a') >= 8'000'000);
  CHECK(all.ends_with("0\r\n\r\n"));
}

TEST_CASE("a client that has sent more than its request is noticed when it disconnects") {
  for (const std::string& more : {std::string("\r\n"), kGet, std::string(20, 'x')}) {
    Kept kept;
    const HttpServer server = serve(kept.handler());
    HttpClient client(server.port());
    client.send(kGet);
    HttpReply reply = kept.reply();
    auto gone = std::make_shared<std::promise<void>>();
    reply.on_gone([gone] { gone->set_value(); });
    client.send(more);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // So that these bytes come alone.
    client.close();
    CHECK(gone->get_future().wait_for(kWatchdog) == std::future_status::ready);
  }
}

TEST_CASE("a request that comes early, in pieces, is answered after the first") {
  Kept kept;
  bool is_first = true;
  const HttpServer server = serve([&](HttpRequest&& request, HttpReply&& reply) {
    if (std::exchange(is_first, false)) return kept.handler()(std::move(request), std::move(reply));
    reply.send(200, "text/plain", request.path);
  });
  HttpClient client(server.port());
  client.send(kGet);
  HttpReply reply = kept.reply();
  client.send("GET /sec");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  client.send("ond HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  reply.send(200, "text/plain", "first");
  const std::string replies = client.read_all();
  CHECK(replies.find("first") < replies.find("/second"));
  CHECK(replies.ends_with("/second"));
}

TEST_CASE("the bodies of all requests together are bounded, while they are read and answered") {
  Kept kept;
  const HttpServer server = serve(kept.handler(), {.body_bytes = 600, .all_body_bytes = 1000});
  const std::string post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 600\r\n\r\n" + std::string(600, 'a');
  HttpClient first(server.port());
  first.send(post);
  HttpReply reply = kept.reply();  // It was read, and is answered.
  CHECK(status(answer(server.port(), post)) == "HTTP/1.1 503 Service Unavailable");
}

}  // namespace tinyllm::test
