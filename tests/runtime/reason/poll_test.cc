#include <doctest/doctest.h>

#include <tinyllm/runtime/reason/poll.h>

#include "error_of.h"

#include <string>
#include <vector>

namespace tinyllm::test {
namespace {

SampledChain says(const std::string& answer) { return {"答案：" + answer, false, -1}; }

// Chains that were sampled until the poll was over, of those that could be.
size_t sampled(const std::vector<std::string>& answers, double confidence = 0.9) {
  Poll poll("", {.chains = std::ssize(answers), .confidence = confidence});
  size_t next = 0;
  while (!poll.is_over()) {
    REQUIRE(poll.open() > next);
    for (const size_t end = poll.open(); next < end; ++next) poll.add(next, says(answers.at(next)));
  }
  CHECK(poll.open() == next);
  return next;
}

}  // namespace

TEST_CASE("chains are sampled in windows until the answer is decided") {
  CHECK(sampled({"7", "7", "7", "8", "8"}) == 3);
  CHECK(sampled({"7", "8", "7", "7", "7", "8", "8", "8"}) == 8);       // 4 to 1 is 0.89, and then it is 4 to 3.
  CHECK(sampled({"7", "8", "7", "7", "7", "7", "7", "8", "8"}) == 7);  // 6 to 1 is 0.96.
  CHECK(sampled({"7", "8", "7", "7", "7", "8", "8", "8"}, 0.85) == 5);
  CHECK(sampled({"7", "8", "7", "7", "7"}) == 5);
  CHECK(sampled({"7", "7", "8", "9"}) == 4);
  CHECK(sampled({"7"}) == 1);
  CHECK(sampled({"7", "8"}) == 2);
  CHECK(sampled(std::vector<std::string>(9, "7"), 1) == 9);
  CHECK(sampled(std::vector<std::string>(9, "")) == 9);
}

TEST_CASE("which chain ends first changes nothing") {
  const std::vector<std::string> answers = {"7", "8", "7"};
  Poll one("", {.chains = 9}), other("", {.chains = 9});
  for (const size_t i : std::vector<size_t>{0, 1, 2}) one.add(i, says(answers[i]));
  for (const size_t i : std::vector<size_t>{2, 0, 1}) {
    CHECK(other.open() == 3);
    other.add(i, says(answers[i]));
  }
  CHECK(one.open() == 5);
  CHECK(other.open() == 5);
  CHECK(one.verdict().candidates[0].chains == other.verdict().candidates[0].chains);
}

TEST_CASE("a poll that is closed is over when its open chains have ended") {
  Poll poll("", {.chains = 9});
  poll.add(0, says("7"));
  poll.close();
  poll.add(1, says("8"));
  CHECK_FALSE(poll.is_over());
  poll.add(2, {"9 or", true});
  CHECK(poll.is_over());
  CHECK(poll.open() == 3);
  CHECK(poll.verdict().agreement == doctest::Approx(1.0 / 3));
  CHECK(poll.verdict().is_tie);
}

TEST_CASE("invalid options of a poll are named") {
  CHECK(error_of([] { Poll("", {.chains = 0}); }) == "poll: 0 chains, expected 1 to 128");
  CHECK(error_of([] { Poll("", {.chains = 1'000'000}); }) == "poll: 1000000 chains, expected 1 to 128");
  CHECK(error_of([] { Poll("", {.confidence = 0.5}); }) == "poll: confidence 0.5, expected above 0.5 and at most 1");
  CHECK(error_of([] { Poll("", {.rules = {.false_equation_weight = -1}}); }) ==
        "vote: false_equation_weight -1, expected 0 to 1");
}

TEST_CASE("the mean log-probability has the end token, and is nothing without tokens") {
  Completion completion;
  CHECK(mean_log_prob(completion, nullptr) == -std::numeric_limits<double>::infinity());
  completion.tokens = {4, 5};
  completion.log_probs = {{-1, {}}, {-2, {}}};
  CHECK(mean_log_prob(completion, nullptr) == -1.5);
  completion.end_log_probs = {-6, {}};
  CHECK(mean_log_prob(completion, nullptr) == -3);
}

}  // namespace tinyllm::test
