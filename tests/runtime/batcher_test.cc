#include <doctest/doctest.h>

#include <tinyllm/runtime/batcher.h>

#include "error_of.h"
#include "runtime/model_to_ask.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <thread>

namespace tinyllm::test {
namespace {

// Submits requests to a batcher and collects their completions.
class Client {
 public:
  explicit Client(Session& session, const BatcherOptions& options = {}) : batcher(session, options) {}

  Batcher::Id submit(Request request) {
    request.on_done = [this, number = submitted_](Completion completion) {
      CHECK_FALSE(done.contains(number));
      done[number] = std::move(completion);
    };
    ++submitted_;
    return batcher.submit(std::move(request));
  }
  void run() {
    while (batcher.step()) {
    }
    CHECK(done.size() == submitted_);
  }
  Completion ask(const Request& request) {
    const size_t number = submitted_;
    submit(request);
    run();
    return done[number];
  }

  Batcher batcher;
  std::map<size_t, Completion> done;  // By order of submission.

 private:
  size_t submitted_ = 0;
};

// Prompts that begin alike, of different lengths and seeds.
Request request_of(const Model& model, uint64_t seed) {
  Request request{random_tokens(model, 1, 80), {.max_tokens = 20, .sampling = {.temperature = 1, .seed = seed}}};
  const auto own = random_tokens(model, 10 + seed, 1 + static_cast<int64_t>(seed * 7 % 40));
  request.prompt.insert(request.prompt.end(), own.begin(), own.end());
  return request;
}

// It answers `max_tokens` tokens.
Request endless(const Model& model, uint64_t seed, int64_t max_tokens) {
  Request request = request_of(model, seed);
  request.options.max_tokens = max_tokens;
  request.options.sampling.logit_bias = {{kEosId, -1000}};
  return request;
}

std::vector<Completion> each_alone(const Model& model, const std::vector<Request>& requests) {
  Session session(model, {.pool = ThreadPool(1)});
  std::vector<Completion> all;
  for (const Request& request : requests) all.push_back(Client(session, {.keeps_prefixes = false}).ask(request));
  return all;
}

void check_same(const Completion& a, const Completion& b) {
  CHECK(a.tokens == b.tokens);
  CHECK(a.text == b.text);
  CHECK(a.offsets == b.offsets);
  CHECK(a.finish_reason == b.finish_reason);
  REQUIRE(a.log_probs.size() == b.log_probs.size());
  for (size_t i = 0; i < a.log_probs.size(); ++i) CHECK(a.log_probs[i].log_prob == b.log_probs[i].log_prob);
}

}  // namespace

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

TEST_CASE("a constraint forces tokens or restricts them, also with log-probabilities") {
  const Model model = model_to_ask();
  Session session(model);
  const std::vector<int32_t> forced = {20, 21, 22, 23};
  std::vector<bool> allowed(static_cast<size_t>(model.config.vocab_size), false);
  allowed[30] = allowed[31] = true;
  Request request = request_of(model, 1);
  request.options.max_tokens = 8;
  // Four forced tokens, three of the allowed ones, then the end.
  request.options.constraint = [&](std::span<const int32_t> answer) -> NextTokens {
    if (answer.size() < 4) return {.forced = {forced.begin() + std::ssize(answer), forced.end()}};
    if (answer.size() == 7) return {.forced = {kEosId}};
    return {.allowed = &allowed};
  };
  const Completion plain = Client(session).ask(request);
  REQUIRE(plain.tokens.size() == 7);
  CHECK(plain.finish_reason == FinishReason::end_token);
  CHECK(std::equal(forced.begin(), forced.end(), plain.tokens.begin()));
  for (size_t i = 4; i < 7; ++i) CHECK(allowed[static_cast<size_t>(plain.tokens[i])]);
  request.options.top_log_probs = 2;
  const Completion with = Client(session).ask(request);
  CHECK(with.tokens == plain.tokens);
  CHECK(with.log_probs.size() == 7);

  Client client(session);
  request.options.constraint = [](std::span<const int32_t>) -> NextTokens { return {.forced = {-1}}; };
  CHECK(client.ask(request).error ==
        fmt::format("request: forced token -1, expected 0 to {}", model.config.vocab_size - 1));
  const std::vector<bool> nothing(allowed.size(), false), too_short(3, true);
  request.options.constraint = [&](std::span<const int32_t>) -> NextTokens { return {.allowed = &nothing}; };
  CHECK(client.ask(request).error == "sampler: the logits of all allowed tokens are -inf");
  request.options.constraint = [&](std::span<const int32_t>) -> NextTokens { return {.allowed = &too_short}; };
  CHECK(client.ask(request).finish_reason == FinishReason::failed);
  request.options.constraint = [](std::span<const int32_t>) -> NextTokens { throw std::runtime_error("no"); };
  CHECK(client.ask(request).error == "no");
}

TEST_CASE("log-probabilities are those of the raw logits") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 2});
  Request request = endless(model, 1, 10);
  request.options.sampling.logit_bias.push_back({40, 3});
  request.options.top_log_probs = 5;
  const Completion completion = Client(session).ask(request);
  REQUIRE(completion.log_probs.size() == 10);
  Sequence sequence = session.start();
  session.forward(sequence, request.prompt);
  for (size_t i = 0; i < 10; ++i) {
    const std::span<const float> logits = sequence.logits();
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    const auto expected = [&](int32_t token) {
      return static_cast<double>(logits[static_cast<size_t>(token)]) - std::log(sum);
    };
    const TokenLogProbs& got = completion.log_probs[i];
    // Sums of some hundred terms in double precision.
    CHECK(std::abs(got.log_prob - expected(completion.tokens[i])) < 1e-12);
    REQUIRE(got.top.size() == 5);
    for (const TokenLogProbs::Entry& entry : got.top) CHECK(std::abs(entry.log_prob - expected(entry.token)) < 1e-12);
    CHECK(got.top[0].token == std::max_element(logits.begin(), logits.end()) - logits.begin());
    session.forward(sequence, {&completion.tokens[i], 1});
  }
}

TEST_CASE("offsets map tokens to text, across characters of several tokens and stop strings") {
  const Model model = model_to_ask();
  Session session(model);
  const auto forced = [&](const std::string& text, std::vector<std::string> stop) {
    Request request{random_tokens(model, 1, 5), {.max_tokens = 100, .stop = std::move(stop)}};
    std::vector<int32_t> tokens;
    for (const char c : text) {  // Byte by byte.
      for (int32_t token = 4; token < model.config.vocab_size; ++token) {
        if (model.tokenizer->decode({&token, 1}) != std::string(1, c)) continue;
        tokens.push_back(token);
        break;
      }
    }
    REQUIRE(tokens.size() == text.size());
    tokens.push_back(kEosId);
    request.options.constraint = [tokens](std::span<const int32_t>) -> NextTokens { return {.forced = tokens}; };
    return Client(session).ask(request);
  };
  const Completion characters = forced("a题b", {});
  CHECK(characters.text == "a题b");
  CHECK(characters.offsets == std::vector<size_t>{0, 1, 1, 1, 4});
  const Completion held = forced("xstoy", {"stop"});
  CHECK(held.text == "xstoy");
  CHECK(held.offsets == std::vector<size_t>{0, 1, 2, 3, 4});
  const Completion stopped = forced("xystopz", {"stop"});
  CHECK(stopped.text == "xy");
  CHECK(stopped.finish_reason == FinishReason::stop_string);
  CHECK(stopped.offsets == std::vector<size_t>{0, 1, 2, 2, 2, 2});
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
