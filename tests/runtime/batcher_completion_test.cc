#include <doctest/doctest.h>

#include "runtime/client.h"

#include <algorithm>
#include <cmath>

namespace tinyllm::test {

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

}  // namespace tinyllm::test
