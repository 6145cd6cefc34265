#pragma once

#include <doctest/doctest.h>

#include <tinyllm/runtime/http/http.h>

#include "http_client.h"

#include <future>
#include <thread>

// Servers for tests of their clients.
namespace tinyllm::test {

using std::chrono::seconds;

// Far longer than anything here takes: a test that waits this long has failed.
inline constexpr seconds kWatchdog{60};

inline HttpServer serve(HttpHandler handler, HttpLimits limits = {}) {
  return {{.limits = limits}, std::move(handler)};
}

inline void say_path(HttpRequest&& request, HttpReply&& reply) { reply.send(200, "text/plain", request.path); }

// A handler that keeps the reply for the test.
struct Kept {
  std::promise<HttpReply> promise;
  HttpHandler handler() {
    return [this](HttpRequest&&, HttpReply&& reply) { promise.set_value(std::move(reply)); };
  }
  HttpReply reply() { return promise.get_future().get(); }
};

// Whether something ends before the watchdog does.
inline bool ends(const std::function<void()>& work) {
  auto done = std::make_shared<std::promise<void>>();
  std::thread([work, done] {
    work();
    done->set_value();
  }).detach();
  return done->get_future().wait_for(kWatchdog) == std::future_status::ready;
}

inline const std::string kGet = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
inline const std::string kGetAndClose = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

}  // namespace tinyllm::test
