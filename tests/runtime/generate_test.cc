#include <doctest/doctest.h>

#include <tinyllm/runtime/generate.h>
#include <tinyllm/runtime/text_stream.h>

#include "runtime/model_to_ask.h"

#include <limits>

namespace tinyllm::test {
namespace {

Completion generate_one(Session& session, const Request& request, const OnText& on_text = {}) {
  return generate(session, {&request, 1}, on_text)[0];
}

// Requests of different lengths and seeds, some of which begin alike.
std::vector<Request> some_requests(const Model& model, size_t count) {
  std::vector<Request> requests;
  for (size_t i = 0; i < count; ++i) {
    std::vector<int32_t> prompt = random_tokens(model, 1, 80);
    const auto own = random_tokens(model, 10 + i, 1 + static_cast<int64_t>(i * 7 % 40));
    prompt.insert(prompt.end(), own.begin(), own.end());
    requests.push_back({prompt, {.max_tokens = 20, .sampling = {.temperature = 1, .seed = i}}});
  }
  return requests;
}

}  // namespace

TEST_CASE("an answer is the same tokens alone or in a batch, with others waiting, on any number of threads") {
  const Model model = model_to_ask();
  const std::vector<Request> requests = some_requests(model, 9);
  std::vector<Completion> alone;
  Session one(model, {.sequences = 1, .pool = ThreadPool(1)});
  for (const Request& request : requests) alone.push_back(generate_one(one, request));
  for (const auto& [sequences, threads] : {std::pair<int64_t, int>{1, 2}, {2, 1}, {4, 3}, {9, 2}, {20, 8}}) {
    Session session(model, {.sequences = sequences, .pool = ThreadPool(threads)});
    const std::vector<Completion> together = generate(session, requests);
    for (size_t i = 0; i < requests.size(); ++i) {
      CHECK(together[i].tokens == alone[i].tokens);
      CHECK(together[i].text == alone[i].text);
    }
  }
  CHECK(alone[0].tokens != alone[1].tokens);
  // The seed decides.
  Request request = requests[0];
  request.options.sampling.seed = 77;
  CHECK(generate_one(one, request).tokens != alone[0].tokens);
}

TEST_CASE("a greedy answer is the likeliest token after each that the session is told one by one") {
  const Model model = model_to_ask();
  Session session(model);
  const std::vector<int32_t> prompt = random_tokens(model, 3, 140);
  const Completion answer = generate_one(session, {.prompt = prompt, .options = {.max_tokens = 12}});
  Sequence sequence = session.start();
  session.forward(sequence, prompt);
  for (const int32_t token : answer.tokens) {
    const auto logits = sequence.logits();
    CHECK(token == std::max_element(logits.begin(), logits.end()) - logits.begin());
    session.forward(sequence, {&token, 1});
  }
  CHECK(answer.prompt_tokens == 140);
  CHECK(answer.cached_tokens == 0);
  CHECK(answer.first_token_seconds <= answer.seconds);
}

TEST_CASE("an answer ends at its limit, at a stop string, at the end of the context, and when the caller says so") {
  const Model model = model_to_ask(64);
  Session session(model);
  Request request{.prompt = random_tokens(model, 5, 10), .options = {.max_tokens = 5}};
  request.options.sampling.logit_bias = {{kEosId, -1000}};  // It goes on and on.
  const Completion limited = generate_one(session, request);
  CHECK(limited.finish_reason == FinishReason::max_tokens);
  CHECK(limited.tokens.size() == 5);

  request.options.max_tokens = 1000;
  const Completion full = generate_one(session, request);
  CHECK(full.finish_reason == FinishReason::context_full);
  CHECK(full.tokens.size() == 55);  // The last one is not read any more.
  CHECK(full.text == replace_broken_characters(model.tokenizer->decode(full.tokens)));

  request.options.sampling.logit_bias = {{kEosId, 1000}};
  const Completion silent = generate_one(session, request);
  CHECK(silent.finish_reason == FinishReason::end_token);
  CHECK(silent.tokens.empty());
  CHECK(silent.text.empty());

  // Says `1` for ever, until `111`.
  request.options.sampling.logit_bias = {{model.tokenizer->encode("1")[0], 1000}};
  request.options.stop = {"111"};
  const Completion stopped = generate_one(session, request);
  CHECK(stopped.finish_reason == FinishReason::stop_string);
  CHECK(stopped.text.empty());

  request.options.stop = {"12"};
  std::string seen;
  const Completion cancelled = generate_one(session, request, [&](size_t, std::string_view text) {
    seen += text;
    return seen.size() < 2;
  });
  CHECK(cancelled.finish_reason == FinishReason::cancelled);
  CHECK(cancelled.text == "111");  // With what was held back.
  CHECK(seen == cancelled.text);
  const Completion at_once = generate_one(session, request, [](size_t, std::string_view) { return false; });
  CHECK(at_once.finish_reason == FinishReason::cancelled);
  CHECK(at_once.tokens.size() <= 1);
}

TEST_CASE("a long prompt is cancelled while it is read") {
  const Model model = model_to_ask(1000);
  Session session(model);
  Sequence sequence = session.start();
  const Request request{.prompt = random_tokens(model, 1, 900), .options = {}, .sequence = &sequence};
  int calls = 0;
  const Completion answer = generate_one(session, request, [&](size_t, std::string_view) { return ++calls < 3; });
  CHECK(answer.finish_reason == FinishReason::cancelled);
  CHECK(answer.tokens.empty());
  CHECK(sequence.size() < 900);
  CHECK(sequence.size() > 0);
}

TEST_CASE("a sequence that holds the beginning of a prompt is gone on from, with the same answer") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 2});
  Sequence sequence = session.start();
  Request request{.prompt = random_tokens(model, 1, 70), .options = {.max_tokens = 10}, .sequence = &sequence};
  generate_one(session, request);
  // What it said, then other tokens; then the first prompt again.
  std::vector<int32_t> longer = sequence.tokens();
  const auto more = random_tokens(model, 2, 30);
  longer.insert(longer.end(), more.begin(), more.end());
  for (const std::vector<int32_t>& prompt : {longer, request.prompt}) {
    request.prompt = prompt;
    request.sequence = &sequence;
    const Completion answer = generate_one(session, request);
    CHECK(answer.prompt_tokens - answer.cached_tokens <= 30);
    request.sequence = nullptr;
    CHECK(answer.tokens == generate_one(session, request).tokens);
  }
}

TEST_CASE("when the context is full, an answer continues after a shorter prompt, or ends when there is none") {
  const Model model = model_to_ask(64);
  Session session(model);
  Request request{.prompt = random_tokens(model, 5, 50), .options = {.max_tokens = 30}};
  request.options.sampling.logit_bias = {{kEosId, -1000}};
  const Completion cut = generate_one(session, request);
  CHECK(cut.finish_reason == FinishReason::context_full);
  const std::vector<int32_t> shorter = random_tokens(model, 6, 20);
  request.shorten = [&](int64_t answered) {
    CHECK(answered == static_cast<int64_t>(cut.tokens.size()));
    return shorter;
  };
  const Completion whole = generate_one(session, request);
  CHECK(whole.finish_reason == FinishReason::max_tokens);
  REQUIRE(whole.tokens.size() == 30);
  CHECK(std::equal(cut.tokens.begin(), cut.tokens.end(), whole.tokens.begin()));
  // From there on it is what that prompt is continued with.
  Request other{.prompt = shorter, .options = request.options};
  other.prompt.insert(other.prompt.end(), cut.tokens.begin(), cut.tokens.end());
  other.options.max_tokens = 30 - static_cast<int64_t>(cut.tokens.size());
  const Completion rest = generate_one(session, other);
  CHECK(std::equal(rest.tokens.begin(), rest.tokens.end(), whole.tokens.begin() + std::ptrdiff_t(cut.tokens.size())));
  for (const size_t too_long : {size_t{0}, size_t{60}}) {
    request.shorten = [&](int64_t) { return std::vector<int32_t>(too_long, 5); };
    CHECK(generate_one(session, request).finish_reason == FinishReason::context_full);
  }
}

TEST_CASE("requests that cannot be are refused before anything is answered") {
  const Model model = model_to_ask(64);
  Session session(model);
  const Request good{.prompt = random_tokens(model, 5, 10), .options = {.max_tokens = 2}};
  const auto with = [&](auto change) {
    std::vector<Request> requests = {good, good};
    change(requests[1]);
    return requests;
  };
  const auto refused = [&](const std::vector<Request>& requests, const char* message) {
    bool called = false;
    CHECK_THROWS_WITH_AS(generate(session, requests, [&](size_t, std::string_view) { return called = true; }), message,
                         Error);
    CHECK_FALSE(called);
  };
  refused(with([](Request& r) { r.prompt.clear(); }), "request: a prompt is empty");
  refused(with([](Request& r) { r.prompt.assign(64, 5); }),
          "request: a prompt of 64 tokens leaves no room in a context of 64");
  refused(with([](Request& r) { r.options.max_tokens = -1; }), "request: max_tokens -1, expected 0 or more");
  refused(with([](Request& r) { r.options.sampling.temperature = -0.5f; }),
          "sampling: temperature -0.5, expected 0 or more");
  refused(with([](Request& r) { r.options.stop = {""}; }), "stop string: is empty, expected some text");
  refused(with([](Request& r) { r.options.stop = {std::string(1025, 'a')}; }),
          "stop string: has 1025 bytes, expected at most 1024");
  CHECK(generate(session, {}).empty());
}

}  // namespace tinyllm::test
