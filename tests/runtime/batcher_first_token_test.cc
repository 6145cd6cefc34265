#include <doctest/doctest.h>

#include <tinyllm/runtime/batcher.h>
#include <tinyllm/tensor/base/random.h>

#include "runtime/client.h"

#include <algorithm>

namespace tinyllm::test {
namespace {

constexpr int64_t kPiece = 128, kLeast = 64;  // Tokens of a prompt in a pass; those of all prompts, at least.

struct Asked {
  int64_t tokens;
  int64_t admitted;          // The passes before its first one.
  int64_t first_token = -1;  // The passes up to its first token.

  bool goes_before(const Asked& other) const {
    return tokens + kPiece * admitted <= other.tokens + kPiece * other.admitted;
  }
};

// Requests of random lengths that arrive at random times, while an answer is received.
std::vector<Asked> ask_many(uint64_t seed, double arrivals) {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 400});
  // No pass is that quick: each reads as few tokens as it may.
  Client client(session, {.max_running = 400, .keeps_prefixes = false, .pass_seconds = 1e-9});
  client.submit(endless(model, 1, 110));
  for (int i = 0; i < 6; ++i) client.batcher.step();
  Random random(seed, 1);
  std::vector<Asked> asked;
  asked.reserve(400);
  int64_t passes = 0;
  const auto is_waiting = [&] {
    return std::ranges::any_of(asked, [](const Asked& one) { return one.first_token < 0; });
  };
  for (; passes < 40 || is_waiting(); ++passes) {
    const auto count = passes < 40 ? static_cast<int64_t>(random.uniform() * 2 * arrivals) : 0;
    for (int64_t i = 0; i < count; ++i) {
      asked.push_back({1 + static_cast<int64_t>(random.uniform() * 180), passes});
      // The first tokens differ, so that no prompt waits for another one to be computed.
      Request request{random_tokens(model, seed * 1000 + asked.size(), asked.back().tokens), {.max_tokens = 1}};
      request.on_text = [&, number = asked.size() - 1](std::string_view, const Completion& so_far) {
        if (!so_far.tokens.empty()) asked[number].first_token = passes + 1;
        return true;
      };
      client.submit(std::move(request));
    }
    client.batcher.step();
    REQUIRE(passes < 400);
  }
  return asked;
}

}  // namespace

TEST_CASE("a first token comes within the passes that the prompts before it need") {
  for (const double arrivals : {0.5, 1.5, 4.0}) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      const std::vector<Asked> asked = ask_many(seed, arrivals);
      for (const Asked& one : asked) {
        int64_t tokens = 0;
        for (const Asked& other : asked) {
          const bool was_read = other.first_token >= 0 && other.first_token <= one.admitted;
          if (!was_read && other.goes_before(one)) tokens += other.tokens;
        }
        const int64_t most = (one.tokens + kPiece - 1) / kPiece + (tokens + kLeast - 1) / kLeast;
        CHECK(one.first_token - one.admitted <= most);
      }
    }
  }
}

TEST_CASE("a prompt that has begun is not held up by longer ones") {
  const Model model = model_to_ask();
  Session session(model, {.sequences = 20});
  Client client(session, {.keeps_prefixes = false, .pass_seconds = 1e-9});
  client.submit(endless(model, 1, 60));
  for (int i = 0; i < 6; ++i) client.batcher.step();
  client.submit({.prompt = random_tokens(model, 2, 128), .options = {.max_tokens = 1}});
  for (uint64_t i = 0; i < 6; ++i) {
    client.submit({.prompt = random_tokens(model, 3 + i, 130), .options = {.max_tokens = 1}});
  }
  client.batcher.step();
  client.batcher.step();
  CHECK(client.done.contains(1));
  client.run();
}

}  // namespace tinyllm::test
