#pragma once

#include <doctest/doctest.h>

#include <tinyllm/runtime/batcher.h>

#include "runtime/model_to_ask.h"

#include <map>

// Requests to a batcher, for its tests.
namespace tinyllm::test {

/// Submits requests to a batcher and collects their completions.
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

/// Prompts that begin alike, of different lengths and seeds.
inline Request request_of(const Model& model, uint64_t seed) {
  Request request{random_tokens(model, 1, 80), {.max_tokens = 20, .sampling = {.temperature = 1, .seed = seed}}};
  const auto own = random_tokens(model, 10 + seed, 1 + static_cast<int64_t>(seed * 7 % 40));
  request.prompt.insert(request.prompt.end(), own.begin(), own.end());
  return request;
}

/// It answers `max_tokens` tokens.
inline Request endless(const Model& model, uint64_t seed, int64_t max_tokens) {
  Request request = request_of(model, seed);
  request.options.max_tokens = max_tokens;
  request.options.sampling.logit_bias = {{kEosId, -1000}};
  return request;
}

inline std::vector<Completion> each_alone(const Model& model, const std::vector<Request>& requests) {
  Session session(model, {.pool = ThreadPool(1)});
  std::vector<Completion> all;
  for (const Request& request : requests) all.push_back(Client(session, {.keeps_prefixes = false}).ask(request));
  return all;
}

inline void check_same(const Completion& a, const Completion& b) {
  CHECK(a.tokens == b.tokens);
  CHECK(a.text == b.text);
  CHECK(a.offsets == b.offsets);
  CHECK(a.finish_reason == b.finish_reason);
  REQUIRE(a.log_probs.size() == b.log_probs.size());
  for (size_t i = 0; i < a.log_probs.size(); ++i) CHECK(a.log_probs[i].log_prob == b.log_probs[i].log_prob);
}

}  // namespace tinyllm::test
