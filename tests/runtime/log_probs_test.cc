#include <doctest/doctest.h>

#include <tinyllm/runtime/log_probs.h>
#include <tinyllm/tensor/base/error.h>

#include <cmath>
#include <limits>

namespace tinyllm::test {

TEST_CASE("log-probabilities are log softmax, and the likeliest tokens come in order") {
  const float two = std::log(2.0f), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> logits = {100, 100 + two, -infinity, 100};  // Probabilities 1/4, 1/2, 0, 1/4.
  const TokenLogProbs result = log_probs(logits, 3, 3);
  // Logits near 100 are rounded to 2^-18, half of that on each side.
  const double bound = std::ldexp(1, -18);
  CHECK(std::abs(result.log_prob - std::log(0.25)) < bound);
  REQUIRE(result.top.size() == 3);
  CHECK(result.top[0].token == 1);
  CHECK(std::abs(result.top[0].log_prob - std::log(0.5)) < bound);
  CHECK(result.top[1].token == 0);  // The lower of equal ones.
  CHECK(result.top[2].token == 3);
  CHECK(log_probs(logits, 2, 0).log_prob == -std::numeric_limits<double>::infinity());
  CHECK(log_probs(logits, 2, 0).top.empty());
}

TEST_CASE("rows without a token are not listed, but take part in the softmax") {
  const std::vector<float> logits = {0, 1, 5, 9};
  const TokenLogProbs all = log_probs(logits, 1, 4), known = log_probs(logits, 1, 4, 2);
  CHECK(known.log_prob == all.log_prob);
  REQUIRE(known.top.size() == 2);
  CHECK(known.top[0].token == 1);
  CHECK(known.top[1].token == 0);
}

TEST_CASE("logits without a softmax are refused") {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const std::vector<float>& logits : {std::vector<float>{1, std::nanf(""), 2},
                                           {std::nanf(""), 1, 2},
                                           {infinity, 0, 0},
                                           {-infinity, -infinity, -infinity}}) {
    CHECK_THROWS_AS(log_probs(logits, 1, 2), Error);
  }
}

}  // namespace tinyllm::test
