#include <doctest/doctest.h>

#include "runtime/client.h"

#include <array>
#include <atomic>
#include <thread>

namespace tinyllm::test {

TEST_CASE("requests are cancelled while they wait and while they run, from callbacks and from another thread") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 2});
  Client client(session, {.max_running = 2});
  const Request kept = request_of(model, 1);
  Batcher::Id waiting = 0, running = 0;
  int calls = 0;
  Request caller = endless(model, 2, 30);
  caller.on_text = [&](std::string_view, const Completion&) {
    if (++calls == 5) {
      client.batcher.cancel(waiting);
      client.batcher.cancel(running);
      client.submit(kept);
    }
    return true;
  };
  client.submit(caller);
  running = client.submit(endless(model, 3, 100));
  waiting = client.submit(endless(model, 4, 100));
  client.run();
  CHECK(client.done[0].tokens.size() == 30);
  CHECK(client.done[1].finish_reason == FinishReason::cancelled);
  CHECK(client.done[1].tokens.size() < 10);
  CHECK(client.done[2].finish_reason == FinishReason::cancelled);
  CHECK(client.done[2].tokens.empty());
  check_same(client.done[3], each_alone(model, {kept})[0]);
  client.batcher.cancel(running);  // It has ended.
  client.batcher.cancel(12345);
  CHECK_FALSE(client.batcher.step());

  // One thread submits and cancels while another one steps.
  Session free(model, {.sequences = 2});
  Batcher batcher(free);
  std::atomic<int> ended = 0, cancelled = 0;
  std::array<std::atomic<bool>, 20> is_cancelled = {};
  std::thread other([&] {
    for (uint64_t i = 0; i < 20; ++i) {
      const bool cancels = i % 2 == 1;
      Request request = endless(model, i, cancels ? 100 : 2);
      request.on_text = [&, i, cancels](std::string_view, const Completion&) {
        while (cancels && !is_cancelled[i]) std::this_thread::yield();  // It does not end before.
        return true;
      };
      request.on_done = [&](const Completion& completion) {
        cancelled += completion.finish_reason == FinishReason::cancelled;
        ++ended;
      };
      const Batcher::Id id = batcher.submit(std::move(request));
      if (!cancels) continue;
      batcher.cancel(id);
      is_cancelled[i] = true;
    }
  });
  while (ended < 20) batcher.step();
  other.join();
  CHECK(cancelled == 10);
}

}  // namespace tinyllm::test
