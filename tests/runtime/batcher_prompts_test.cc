#include <doctest/doctest.h>

#include <tinyllm/runtime/batcher.h>

#include "error_of.h"
#include "runtime/client.h"

#include <algorithm>

namespace tinyllm::test {

TEST_CASE("what was computed for one group is not used for another, running or kept") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 6});
  Client client(session);
  Request request = request_of(model, 1);
  const auto cached = [&](uint64_t group) {
    request.group = group;
    return client.ask(request).cached_tokens;
  };
  CHECK(cached(1) == 0);
  CHECK(cached(2) == 0);
  CHECK(cached(2) == std::ssize(request.prompt) - 1);
  CHECK(cached(1) == std::ssize(request.prompt) - 1);
  Client together(session, {.keeps_prefixes = false});
  for (const uint64_t group : {1, 2, 2}) {
    request.group = group;
    together.submit(request);
  }
  together.run();
  CHECK(together.done[0].cached_tokens == 0);
  CHECK(together.done[1].cached_tokens == 0);
  CHECK(together.done[2].cached_tokens > 0);
}

TEST_CASE("the tokens of a prompt have the log-probabilities of the model, also where a cache has the prompt") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 4});
  std::vector<int32_t> prompt = random_tokens(model, 5, 150);
  std::vector<double> expected;
  Sequence sequence = session.start();
  const Session::Feed feed{&sequence, prompt};
  session.forward({&feed, 1}, [&](size_t, size_t token, std::span<const float> logits) {
    if (token + 1 < prompt.size()) expected.push_back(log_probs(logits, prompt[token + 1], 0).log_prob);
  });
  Client client(session);
  client.ask({.prompt = prompt, .options = {.max_tokens = 3}});
  for (const int64_t max_tokens : {0, 2}) {
    const Completion done =
        client.ask({.prompt = prompt, .options = {.max_tokens = max_tokens, .prompt_log_probs = 2}});
    CHECK(std::ssize(done.tokens) <= max_tokens);
    CHECK(done.cached_tokens == 0);
    REQUIRE(done.prompt_log_probs.size() == expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      CHECK(done.prompt_log_probs[i].log_prob == expected[i]);
      CHECK(done.prompt_log_probs[i].top.size() == 2);
    }
  }
  // Nothing is drawn, so the prompt may be as long as the context.
  prompt = random_tokens(model, 6, session.context());
  CHECK(client.ask({.prompt = prompt, .options = {.max_tokens = 0}}).finish_reason == FinishReason::max_tokens);
  CHECK(error_of([&] { client.submit({.prompt = prompt, .options = {.max_tokens = 1}}); }) ==
        "request: a prompt of 200 tokens leaves no room in a context of 200");
}

TEST_CASE("hidden states are given for each token of a prompt in order") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 4});
  const auto hidden_of = [&](Client& client, const std::vector<int32_t>& prompt) {
    std::vector<std::vector<float>> all;
    client.submit({.prompt = prompt, .options = {.max_tokens = 0}, .on_hidden = [&](std::span<const float> hidden) {
                     all.emplace_back(hidden.begin(), hidden.end());
                   }});
    client.run();
    return all;
  };
  Client client(session);
  const std::vector<int32_t> prompt = random_tokens(model, 7, 140);
  const auto all = hidden_of(client, prompt);
  REQUIRE(all.size() == prompt.size());
  CHECK(std::ssize(all[0]) == model.config.dim);
  // A shorter prompt has the states of its own tokens.
  const auto fewer = hidden_of(client, std::vector(prompt.begin(), prompt.begin() + 3));
  REQUIRE(fewer.size() == 3);
  CHECK(fewer[2] == all[2]);
  CHECK(fewer[1] != fewer[2]);
}

TEST_CASE("while somebody receives an answer, prompts are read in pieces, the shortest first") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 8});
  // No pass is that quick: each reads as few tokens as it may.
  Client client(session, {.keeps_prefixes = false, .pass_seconds = 1e-9});
  client.submit(endless(model, 1, 60));
  client.batcher.step();
  client.submit({.prompt = random_tokens(model, 2, 190), .options = {.max_tokens = 1}});
  client.submit({.prompt = random_tokens(model, 3, 60), .options = {.max_tokens = 1}});
  int64_t most = 0, passes = 0;
  std::vector<size_t> order;
  while (order.size() < 2) {
    client.batcher.step();
    // The first of these passes may still be as long as the ones before.
    if (++passes > 4) most = std::max(most, client.batcher.last_pass().tokens);
    for (const size_t i : {1, 2}) {
      if (client.done.contains(i) && std::ranges::find(order, i) == order.end()) order.push_back(i);
    }
  }
  CHECK(order == std::vector<size_t>{2, 1});
  CHECK(most <= 1 + 64);
  client.run();
  CHECK(client.done[0].tokens.size() == 60);
}

}  // namespace tinyllm::test
