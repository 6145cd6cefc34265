#include <doctest/doctest.h>

#include "runtime/client.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyllm::test {

TEST_CASE("completions are the same to the bit alone, together, beside cancelled ones and after kept prefixes") {
  const Model model = model_to_ask();
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 6; ++i) {
    requests.push_back(request_of(model, i));
    requests.back().options.top_log_probs = 0;
  }
  const std::vector<Completion> alone = each_alone(model, requests);
  CHECK(alone[0].tokens != alone[1].tokens);
  for (const int threads : {1, 2, 3}) {
    for (const bool keeps : {false, true}) {
      Session session(model, {.sequences = 4, .pool = ThreadPool(threads)});
      Client client(session, {.keeps_prefixes = keeps});
      for (int round = 0; round < 2; ++round) {
        std::vector<Batcher::Id> neighbours;
        const size_t first = client.done.size();
        for (const Request& request : requests) {
          client.submit(request);
          neighbours.push_back(client.submit(endless(model, 50 + neighbours.size(), 60)));
        }
        for (const Batcher::Id id : neighbours) {
          client.batcher.step();
          client.batcher.cancel(id);
        }
        client.run();
        for (size_t i = 0; i < requests.size(); ++i) check_same(client.done[first + 2 * i], alone[i]);
        CHECK(client.done[first + 1].finish_reason == FinishReason::cancelled);
      }
      const Completion again = client.ask(requests[0]), last = client.ask(requests[0]);
      check_same(last, alone[0]);
      CHECK(again.prompt_tokens == std::ssize(requests[0].prompt));
      CHECK(last.cached_tokens == (keeps ? last.prompt_tokens - 1 : 0));
    }
  }
}

TEST_CASE("a request joins while others run, and prompts that begin alike are computed once") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 4});
  Client client(session);
  client.submit(endless(model, 1, 40));
  for (int i = 0; i < 5; ++i) CHECK(client.batcher.step());
  const Request late = endless(model, 2, 3);
  client.submit(late);
  for (int i = 0; i < 3; ++i) client.batcher.step();
  REQUIRE(client.done.contains(1));  // Before the first one has ended.
  CHECK_FALSE(client.done.contains(0));
  CHECK(client.done[1].cached_tokens == 80);
  client.run();
  check_same(client.done[1], each_alone(model, {late})[0]);
  // Submitted together, all but the first wait until the first page of 64 tokens or more is computed.
  Session fresh(model, {.sequences = 4});
  Client together(fresh, {.keeps_prefixes = false});
  for (uint64_t i = 0; i < 4; ++i) together.submit(endless(model, i, 30));
  together.run();
  CHECK(together.done[0].cached_tokens == 0);
  for (size_t i = 1; i < 4; ++i) CHECK(together.done[i].cached_tokens >= 80);
}

TEST_CASE("several answers to one prompt compute it once, however short it is") {
  const Model model = model_to_ask();
  for (const int64_t tokens : {1, 2, 30, 63, 150}) {
    Session session(model, {.sequences = 4});
    Client client(session, {.keeps_prefixes = false});
    for (const uint64_t seed : {1, 2, 3}) {
      client.submit({.prompt = random_tokens(model, 3, tokens),
                     .options = {.max_tokens = 4, .sampling = {.temperature = 1, .seed = seed}}});
    }
    client.run();
    CHECK(client.done[0].cached_tokens == 0);
    for (const size_t i : {1, 2}) CHECK(client.done[i].cached_tokens == tokens - 1);
  }
}

TEST_CASE("requests wait while pages are short, and all of them are answered") {
  const Model model = model_to_ask();
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 12; ++i) {
    requests.push_back(i % 3 == 0 ? endless(model, i, 1000) : request_of(model, i));
    if (i % 4 == 1) requests.back().prompt = random_tokens(model, i, 150);
    if (i % 3 == 0) {
      requests.back().options.max_tokens = 150;
      requests.back().shorten = [&model, i](int64_t) { return random_tokens(model, i, 30); };
    }
  }
  const std::vector<Completion> alone = each_alone(model, requests);
  for (const int64_t sequences : {1, 2, 3}) {
    Session session(model, {.sequences = sequences});
    const int64_t all = session.free_pages();
    {
      Client client(session);
      for (const Request& request : requests) client.submit(request);
      client.run();  // A pass that lacks a page throws.
      for (size_t i = 0; i < requests.size(); ++i) check_same(client.done[i], alone[i]);
    }
    CHECK(session.free_pages() == all);
  }
}

TEST_CASE("requests that share pages have room when each leaves the shared pages for a shorter prompt") {
  const Model model = model_to_ask();
  std::vector<Request> requests;
  for (uint64_t i = 0; i < 3; ++i) {
    requests.push_back(endless(model, i, 165));
    requests.back().prompt = random_tokens(model, 1, 150);
    requests.back().options.sampling.seed = i;
    requests.back().shorten = [&model, i](int64_t) { return random_tokens(model, i + 20, 30); };
  }
  const std::vector<Completion> alone = each_alone(model, requests);
  Session session(model, {.sequences = 2});  // 9 pages. Each request ends with 4 of its own.
  Client client(session);
  for (const Request& request : requests) client.submit(request);
  client.run();
  for (size_t i = 0; i < 3; ++i) {
    CHECK(client.done[i].tokens.size() == 165);
    check_same(client.done[i], alone[i]);
  }
}

TEST_CASE("a request that does not fit alone, or whose sequence is of another session, fails alone") {
  const Model model = model_to_ask();
  Session session(model), other(model);
  Sequence held = session.start(), foreign = other.start();
  session.forward(held, random_tokens(model, 9, 100));
  Client client(session);
  const Request small{random_tokens(model, 1, 10), {.max_tokens = 20}};
  Request large{random_tokens(model, 2, 150), {.max_tokens = 50}};
  client.submit(small);
  client.submit(large);
  client.submit({.prompt = small.prompt, .options = small.options, .sequence = &foreign});
  client.submit(small);
  client.run();
  CHECK(client.done[1].finish_reason == FinishReason::failed);
  CHECK(client.done[1].error ==
        "request: 4 more pages of 64 tokens for the prompt and its answer, expected at most the 3 that are free");
  CHECK(client.done[2].error == "session: the sequence belongs to another session");
  check_same(client.done[0], client.done[3]);
  CHECK(client.done[3].error.empty());
  // Two requests with one sequence take turns.
  held.truncate(0);
  large.sequence = &held;
  client.submit(large);
  client.submit(large);
  client.run();
  check_same(client.done[4], client.done[5]);
  CHECK(client.done[5].cached_tokens == 149);
}

TEST_CASE("logits that are NaN fail one request alone") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 4});
  const Request good = endless(model, 1, 20);
  const Completion expected = Client(session).ask(good);
  int32_t broken = 4;
  while (std::ranges::count(good.prompt, broken) + std::ranges::count(expected.tokens, broken) > 0) ++broken;
  const auto table = model.weights->at("tok_emb.weight").as<float>();
  const size_t dim = static_cast<size_t>(model.config.dim);
  std::ranges::fill(table.subspan(static_cast<size_t>(broken) * dim, dim), std::nanf(""));
  Client client(session);
  client.submit(good);
  client.submit({{kBosId, broken, 3}, {.max_tokens = 20}});
  client.submit(good);
  client.run();
  CHECK(client.done[1].finish_reason == FinishReason::failed);
  CHECK(client.done[1].error.starts_with("sampler: the logit of token 0 is"));
  check_same(client.done[0], expected);
  check_same(client.done[2], expected);
}

TEST_CASE("invalid requests are refused when they are submitted") {
  const Model model = model_to_ask(64);
  Session session(model);
  Batcher batcher(session);
  const auto refused = [&](auto change, const std::string& message) {
    Request request{{5, 6}, {}};
    change(request);
    CHECK_THROWS_WITH_AS(batcher.submit(request), message.c_str(), Error);
  };
  const int64_t vocab = model.config.vocab_size;
  refused([](Request& r) { r.options.top_log_probs = -2; },
          fmt::format("request: top_log_probs -2, expected -1 (none) to {}", vocab));
  refused(
      [](Request& r) {
        r.prompt = {5, -1};
      },
      fmt::format("request: token -1 in a prompt, expected 0 to {}", vocab - 1));
  refused([](Request& r) { r.options.sampling.frequency_penalty = std::nanf(""); },
          "sampling: frequency_penalty nan, expected a finite number");
  refused([](Request& r) { r.options.sampling.presence_penalty = std::numeric_limits<float>::infinity(); },
          "sampling: presence_penalty inf, expected a finite number");
  CHECK_FALSE(batcher.step());
  CHECK_THROWS_WITH_AS(Batcher(session, {.max_running = 0}), "batcher: max_running 0, expected 1 or more", Error);
}

}  // namespace tinyllm::test
