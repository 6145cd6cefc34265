#include <doctest/doctest.h>

#include "runtime/model_to_ask.h"

#include <array>
#include <memory>
#include <thread>

namespace tinyllm::test {

TEST_CASE("threads with their own sessions share one model, also while programs are compiled") {
  constexpr size_t kThreads = 2;
  const Model model = model_to_ask();
  // Passes of several sizes, so that each session compiles while the other one compiles or computes.
  const auto logits_of = [&](uint64_t seed) {
    Session session(model, {.pool = ThreadPool(2)});
    Sequence sequence = session.start();
    for (const int64_t count : {1, 2, 3, 5, 9, 17}) {
      const std::vector<int32_t> tokens = random_tokens(model, seed, count);
      session.forward(sequence,
                      model.tokenizer->encode(model.tokenizer->decode(tokens), Tokenizer::OnInvalid::replace));
      session.forward(sequence, tokens);
    }
    return std::vector<float>(sequence.logits().begin(), sequence.logits().end());
  };
  std::vector<std::vector<float>> found(kThreads);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < kThreads; ++i) threads.emplace_back([&, i] { found[i] = logits_of(i); });
  }
  for (size_t i = 0; i < kThreads; ++i) CHECK(found[i] == logits_of(i));
}

TEST_CASE("sessions in two threads may share a pool, and keep it when the caller's is gone") {
  const Model model = model_to_ask();
  auto pool = std::make_unique<ThreadPool>(2);
  std::array<Session, 2> sessions = {Session(model, {.pool = *pool}), Session(model, {.pool = *pool})};
  pool.reset();
  std::array<std::vector<float>, 2> found;
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 2; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < 10; ++round) {
          Sequence sequence = sessions[i].start();
          sessions[i].forward(sequence, random_tokens(model, 1, 20));
          found[i].assign(sequence.logits().begin(), sequence.logits().end());
        }
      });
    }
  }
  CHECK(!found[0].empty());
  CHECK(found[0] == found[1]);
}

TEST_CASE("a session does not add to the weights of its model") {
  const Model model = model_to_ask();
  const size_t weights = model.weights->entries().size();
  Session session(model, {.pool = ThreadPool(1)});
  Sequence sequence = session.start();
  session.forward(sequence, random_tokens(model, 1, 4));
  CHECK(model.weights->entries().size() == weights);

  const Model empty{model.config, std::make_shared<SentencePieceTokenizer>(sample_tokenizer())};
  Session none(empty, {.pool = ThreadPool(1)});
  Sequence nothing = none.start();
  CHECK_THROWS_AS(none.forward(nothing, random_tokens(model, 1, 4)), Error);
  CHECK(empty.weights->entries().empty());
}

TEST_CASE("a cache of more pages than can be numbered is refused") {
  Model model = model_to_ask();
  model.config.context = int64_t{1} << 24;
  CHECK_THROWS_AS(Session(model, {.sequences = 1 << 16, .pool = ThreadPool(1)}), Error);
}

}  // namespace tinyllm::test
