#include <doctest/doctest.h>

#include <tinyllm/runtime/sampler.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/random.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <set>

namespace tinyllm::test {
namespace {

// Probabilities 0.4, 0.3, 0.15, 0.1 and 0.05 of tokens 3, 0, 4, 1 and 2.
const std::vector<float> kLogits = {std::log(0.3f), std::log(0.1f), std::log(0.05f), std::log(0.4f), std::log(0.15f)};

// How often each token is drawn; none that is never drawn.
std::map<int32_t, double> shares(const Sampling& sampling) {
  constexpr int kDraws = 20000;
  Sampler sampler(sampling, static_cast<int64_t>(kLogits.size()));
  std::map<int32_t, double> drawn;
  for (int i = 0; i < kDraws; ++i) drawn[sampler.next(kLogits, {})] += 1.0 / kDraws;
  return drawn;
}

}  // namespace

TEST_CASE("top-k keeps the likeliest tokens where their probabilities round to the same") {
  Sampler sampler({.temperature = 1e8f, .top_k = 1}, 3);
  const std::vector<float> logits = {0, 2, 1};
  for (int i = 0; i < 100; ++i) CHECK(sampler.next(logits, {}) == 1);
}

TEST_CASE("tokens are drawn as often as temperature, top-k, top-p and min-p leave them") {
  using Shares = std::map<int32_t, double>;
  const Shares all = {{3, 0.4}, {0, 0.3}, {4, 0.15}, {1, 0.1}, {2, 0.05}};
  const double square = 0.16 + 0.09 + 0.0225 + 0.01 + 0.0025;  // Temperature 1/2 squares what it divides.
  const std::pair<std::function<void(Sampling&)>, Shares> cases[] = {
      {[](Sampling&) {}, all},
      {[](Sampling& s) { s.temperature = 0.5f; },
       {{3, 0.16 / square}, {0, 0.09 / square}, {4, 0.0225 / square}, {1, 0.01 / square}, {2, 0.0025 / square}}},
      {[](Sampling& s) { s.top_k = 2; }, {{3, 4.0 / 7}, {0, 3.0 / 7}}},
      {[](Sampling& s) { s.top_k = 100; }, all},
      // The token that gets to p stays in.
      {[](Sampling& s) { s.top_p = 0.5f; }, {{3, 4.0 / 7}, {0, 3.0 / 7}}},
      {[](Sampling& s) { s.top_p = 0.39f; }, {{3, 1.0}}},
      {[](Sampling& s) { s.min_p = 0.3f; }, {{3, 0.4 / 0.85}, {0, 0.3 / 0.85}, {4, 0.15 / 0.85}}},
      {[](Sampling& s) { s.min_p = 1; }, {{3, 1.0}}},
      // Of what top-k leaves, the first token has more than the half.
      {[](Sampling& s) { s.top_k = 2, s.top_p = 0.5f; }, {{3, 1.0}}},
      {[](Sampling& s) { s.temperature = 1e-9f; }, {{3, 1.0}}},
      {[](Sampling& s) {
         s.logit_bias = {{3, -1000.0f}, {2, std::log(6.0f)}};
       },
       {{0, 0.3 / 0.85}, {2, 0.3 / 0.85}, {4, 0.15 / 0.85}, {1, 0.1 / 0.85}}},
  };
  for (const auto& [change, expected] : cases) {
    Sampling sampling;
    sampling.temperature = 1;
    change(sampling);
    const Shares drawn = shares(sampling);
    for (const auto& [token, share] : expected) {
      CAPTURE(token);
      // Four deviations of a share of one half of 20000 draws.
      CHECK(std::abs(drawn.at(token) - share) < 0.0142);
    }
    CHECK(drawn.size() == expected.size());
  }
}

TEST_CASE("of a large vocabulary the tokens are drawn that sorting all of it leaves") {
  constexpr size_t kVocab = 5000;
  struct Case {
    float spread;  // Of the logits.
    int64_t top_k;
    float top_p, min_p;
  };
  const Case cases[] = {{0, 7, 1, 0},          {0, 0, 0.001f, 0}, {0.01f, 40, 1, 0},   {1, 300, 1, 0},
                        {3, 1, 1, 0},          {3, 0, 0.9f, 0},   {0.3f, 0, 0.02f, 0}, {3, 0, 1, 0.05f},
                        {3, 60, 0.95f, 0.01f}, {30, 0, 0.999f, 0}};
  for (const auto& [spread, top_k, top_p, min_p] : cases) {
    CAPTURE(spread);
    CAPTURE(top_k);
    CAPTURE(top_p);
    Random random(1);
    std::vector<float> logits;
    for (size_t i = 0; i < kVocab; ++i) logits.push_back(spread * static_cast<float>(random.uniform()) * 4);
    std::vector<std::pair<double, int32_t>>
        sorted;  // Negative probabilities: the likeliest first, the lowest of equals.
    double sum = 0;
    for (const float logit : logits) sum += std::exp(static_cast<double>(logit));
    for (size_t i = 0; i < kVocab; ++i) {
      sorted.emplace_back(-std::exp(static_cast<double>(logits[i])) / sum, static_cast<int32_t>(i));
    }
    std::ranges::sort(sorted);
    size_t kept = top_k > 0 ? static_cast<size_t>(top_k) : kVocab;
    double of = 0, left = 0;
    for (size_t i = 0; i < kept; ++i) of -= sorted[i].first;
    size_t nucleus = 0;
    while (nucleus < kept && (nucleus == 0 || left < static_cast<double>(top_p) * of)) left -= sorted[nucleus++].first;
    if (top_p < 1) kept = nucleus;
    while (sorted[kept - 1].first > sorted[0].first * static_cast<double>(min_p)) --kept;
    std::map<int32_t, double> expected;
    double total = 0;
    for (size_t i = 0; i < kept; ++i) total += sorted[i].first;
    for (size_t i = 0; i < kept; ++i) expected[sorted[i].second] = sorted[i].first / total;

    constexpr int kDraws = 3000;
    Sampler sampler({.temperature = 1, .top_k = top_k, .top_p = top_p, .min_p = min_p}, kVocab);
    std::map<int32_t, double> drawn;
    for (int i = 0; i < kDraws; ++i) drawn[sampler.next(logits, {})] += 1.0 / kDraws;
    // A token at the border of the nucleus may be on either side of it: the sums are rounded.
    size_t outside = 0;
    for (const auto& [token, share] : drawn) outside += expected.contains(token) ? 0 : 1;
    CHECK(outside <= (top_p < 1 ? 1 : 0));
    for (const auto& [token, share] : expected) {
      CHECK(std::abs((drawn.contains(token) ? drawn.at(token) : 0) - share) <
            5 * std::sqrt(share / kDraws) + 1.0 / kDraws);
    }
  }
}

TEST_CASE("temperature 0 takes the likeliest token, of equals the lowest") {
  Sampler greedy({}, 5);
  CHECK(greedy.next(kLogits, {}) == 3);
  CHECK(greedy.next(std::vector<float>{1, 7, 2, 7, 0}, {}) == 1);
}

TEST_CASE("the repetition penalty makes tokens that are there less likely, once each and on either side of 0") {
  Sampler sampler({.repetition_penalty = 2}, 4);
  const std::vector<float> logits = {4, 2.5f, -1, -3};
  CHECK(sampler.next(logits, {}) == 0);
  CHECK(sampler.next(logits, std::vector<int32_t>{0, 0}) == 1);
  CHECK(sampler.next(std::vector<float>{-4, -3, -4, -5}, std::vector<int32_t>{1}) == 0);
}

TEST_CASE("draws are a function of the seed and their number") {
  const auto draws = [](uint64_t seed) {
    Sampler sampler({.temperature = 1, .seed = seed}, 5);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 40; ++i) tokens.push_back(sampler.next(kLogits, tokens));
    return tokens;
  };
  CHECK(draws(1) == draws(1));
  CHECK(draws(1) != draws(2));
  // A draw is not moved by what was drawn before.
  Sampler one({.temperature = 1, .seed = 5}, 5), other({.temperature = 1, .seed = 5}, 5);
  one.next(kLogits, {});
  other.next(std::vector<float>{0, 0, 0, 0, 0}, {});
  for (int i = 0; i < 20; ++i) CHECK(one.next(kLogits, {}) == other.next(kLogits, {}));
}

TEST_CASE("a token without a probability is never drawn, wherever the numbers end") {
  const float infinity = std::numeric_limits<float>::infinity();
  const float largest = std::numeric_limits<float>::max();
  // What may be drawn of each.
  const std::pair<std::vector<float>, std::set<int32_t>> cases[] = {
      {{-infinity, -infinity, 3, -infinity}, {2}},
      {{-infinity, 1, 1, -infinity}, {1, 2}},
      {{0, 0, 0, 0}, {0, 1, 2, 3}},
      {{-largest, largest, -largest, -largest}, {1}},
      {{0, -2000, 0, -2000}, {0, 2}},  // exp(-2000) is 0 in double precision.
      {{5}, {0}},
  };
  const Sampling kinds[] = {{.temperature = 1},
                            {.temperature = std::numeric_limits<float>::denorm_min()},
                            {.temperature = largest},
                            {.temperature = 1, .top_k = 1},
                            {.temperature = 1, .top_k = 1000},
                            {.temperature = 1, .top_p = std::nextafter(1.0f, 0.0f)},
                            {.temperature = 1, .top_p = std::numeric_limits<float>::denorm_min()},
                            {.temperature = 1, .min_p = 1},
                            {.temperature = 1, .top_k = 1000, .top_p = std::nextafter(1.0f, 0.0f), .min_p = 1e-30f},
                            {}};
  for (const auto& [logits, allowed] : cases) {
    for (const Sampling& kind : kinds) {
      CAPTURE(kind.temperature);
      // At a temperature that levels all logits, even the smallest finite ones have a probability.
      if (kind.temperature == largest && logits[0] != -infinity) continue;
      Sampler sampler(kind, static_cast<int64_t>(logits.size()));
      for (int i = 0; i < 200; ++i) CHECK(allowed.contains(sampler.next(logits, {})));
    }
  }
  // Many probabilities that round: whatever the draw, the rest is never given to the last token, which has none.
  std::vector<float> logits(1000);
  for (size_t i = 0; i < logits.size(); ++i) logits[i] = static_cast<float>(i % 7) / 3;
  logits.back() = -infinity;
  Sampler sampler({.temperature = 1, .top_p = std::nextafter(1.0f, 0.0f)}, 1000);
  for (int i = 0; i < 500; ++i) CHECK(sampler.next(logits, {}) != 999);
}

TEST_CASE("frequency and presence penalties count the tokens of the answer alone, and a mask allows the others") {
  const std::vector<float> logits = {10, 9, 0};
  const std::vector<int32_t> prompt = {0, 0, 0, 0, 0, 0};
  const auto answer = [&](float frequency, float presence) {
    Sampler sampler({.frequency_penalty = frequency, .presence_penalty = presence}, 3);
    std::vector<int32_t> tokens;
    for (int i = 0; i < 6; ++i) tokens.push_back(sampler.next(logits, prompt, tokens));
    return tokens;
  };
  CHECK(answer(0, 0) == std::vector<int32_t>{0, 0, 0, 0, 0, 0});
  CHECK(answer(0.75f, 0) == std::vector<int32_t>{0, 0, 1, 0, 1, 0});  // 10, 9.25, 8.5 and 9, 8.25, 7.5.
  CHECK(answer(0, 0.5f) == std::vector<int32_t>{0, 0, 0, 0, 0, 0});
  CHECK(answer(0, 2) == std::vector<int32_t>{0, 1, 0, 0, 0, 0});  // Once, however often a token is there.
  const std::vector<bool> allowed = {false, true, true};
  Sampler greedy({}, 3);
  CHECK(greedy.next(logits, {}, {}, &allowed) == 1);
}

TEST_CASE("sampling without meaning is refused, with the field and what was expected") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const std::pair<std::function<void(Sampling&)>, const char*> cases[] = {
      {[&](Sampling& s) { s.temperature = -1; }, "sampling: temperature -1, expected 0 or more"},
      {[&](Sampling& s) { s.temperature = nan; }, "sampling: temperature nan, expected 0 or more"},
      {[&](Sampling& s) { s.temperature = infinity; }, "sampling: temperature inf, expected 0 or more"},
      {[&](Sampling& s) { s.top_k = -1; }, "sampling: top_k -1, expected 0 (all) or more"},
      {[&](Sampling& s) { s.top_p = 0; }, "sampling: top_p 0, expected more than 0, at most 1"},
      {[&](Sampling& s) { s.top_p = nan; }, "sampling: top_p nan, expected more than 0, at most 1"},
      {[&](Sampling& s) { s.min_p = 1.5f; }, "sampling: min_p 1.5, expected 0 to 1"},
      {[&](Sampling& s) { s.repetition_penalty = 0; }, "sampling: repetition_penalty 0, expected more than 0"},
      {[&](Sampling& s) {
         s.logit_bias = {{5, 1.0f}};
       },
       "sampling: logit_bias of token 5, expected 0 to 4"},
      {[&](Sampling& s) {
         s.logit_bias = {{4, nan}};
       },
       "sampling: logit_bias of token 4 is nan"},
  };
  for (const auto& [change, message] : cases) {
    Sampling sampling;
    change(sampling);
    CHECK_THROWS_WITH_AS(Sampler(sampling, 5), message, Error);
  }
  for (const float temperature : {0.0f, 1.0f}) {
    Sampler sampler({.temperature = temperature}, 5);
    CHECK_THROWS_WITH_AS(sampler.next(std::vector<float>{1, nan, 0, 0, 0}, {}), "sampler: the logit of token 1 is nan",
                         Error);
    CHECK_THROWS_WITH_AS(sampler.next(std::vector<float>{1, 0, infinity, 0, 0}, {}),
                         "sampler: the logit of token 2 is inf", Error);
    CHECK_THROWS_WITH_AS(sampler.next(std::vector<float>(5, -infinity), {}),
                         "sampler: the logits of all tokens are -inf", Error);
    CHECK_THROWS_WITH_AS(sampler.next(std::vector<float>{1}, {}), "sampler: 1 logits, expected 5", Error);
  }
}

TEST_CASE("rows without a token are never drawn, whatever their logits, bias or mask") {
  const std::vector<float> logits = {0, 0, 50, 60};
  const std::vector<bool> all(4, true);
  Sampler greedy({.logit_bias = {{3, 100.0f}}}, 4, 2);
  CHECK(greedy.next(logits, {}) == 0);
  CHECK(greedy.next(logits, {}, {}, &all) == 0);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Sampler sampler({.temperature = 2, .seed = seed}, 4, 2);
    CHECK(sampler.next(logits, {}, {}, &all) < 2);
  }
}

}  // namespace tinyllm::test
