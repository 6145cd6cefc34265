#include <doctest/doctest.h>

#include <tinyllm/model/lora.h>
#include <tinyllm/train/guard.h>

#include "train/sample_run.h"

#include <cmath>
#include <limits>
#include <utility>

namespace tinyllm::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// What is said about losses, each with the step that it is said at.
std::vector<std::pair<int64_t, std::string>> said(const std::vector<float>& losses) {
  Guard guard(640);
  std::vector<std::pair<int64_t, std::string>> all;
  for (size_t i = 0; i < losses.size(); ++i) {
    const auto step = static_cast<int64_t>(i) + 1;
    if (const auto event = guard.add(step, {losses[i], 1, 0.01f, 100})) all.emplace_back(step, *event);
  }
  return all;
}

// Losses around a mean that differ by a twentieth.
std::vector<float> noisy(size_t count, float mean) {
  std::vector<float> losses;
  for (size_t i = 0; i < count; ++i) losses.push_back(mean + (i % 2 == 0 ? 0.05f : -0.05f));
  return losses;
}

void append(std::vector<float>& losses, const std::vector<float>& more) {
  losses.insert(losses.end(), more.begin(), more.end());
}

}  // namespace

TEST_CASE("losses that fall, with noise, are nothing to speak of") {
  std::vector<float> losses;
  for (int i = 0; i < 300; ++i) losses.push_back(9 - 0.02f * float(i) + (i % 3 == 0 ? 0.2f : -0.1f));
  CHECK(said(losses).empty());
}

TEST_CASE("a jump of the loss is said where it happens") {
  std::vector<float> losses = noisy(100, 4);
  append(losses, {6});
  append(losses, noisy(20, 4));
  const auto events = said(losses);
  REQUIRE(events.size() == 1);
  CHECK(events[0].first == 101);
  CHECK(events[0].second == "the loss jumped to 6.000 at step 101, from 4.000 on average before");
}

TEST_CASE("a jump of less than 0.1 is noise, however quiet the loss was") {
  std::vector<float> losses(100, 0.05f);
  append(losses, {0.14f});
  CHECK(said(losses).empty());
  losses.assign(100, 0.05f);
  append(losses, {0.16f});
  CHECK(said(losses).size() == 1);
}

TEST_CASE("a loss that keeps rising is said once") {
  std::vector<float> losses = noisy(100, 4);
  for (int i = 0; i < 200; ++i) losses.push_back(4 + 0.01f * float(i));
  const auto events = said(losses);
  REQUIRE(events.size() == 1);
  CHECK(events[0].second.find("the training diverges; a learning rate below 0.01 may help") != std::string::npos);
}

TEST_CASE("a step that is not finite is said, and whether it moved the weights") {
  CHECK(Guard(640).add(7, {2, kNan, 0.01f, 100}) ==
        "loss 2 and gradient norm nan at step 7: skipped, the weights are unchanged");
  CHECK(Guard(640).add(7, {kNan, 2, 0.01f, 100}) ==
        "loss nan and gradient norm 2 at step 7: the weights were updated anyway");
}

TEST_CASE("a step that had nothing to learn is said") {
  CHECK(Guard(640).add(7, {0, 0, 0.01f, 0}) == "step 7 had nothing to learn: skipped");
}

TEST_CASE("steps that are not finite are counted, and too many in a row end the run") {
  Guard guard(640);
  for (int64_t i = 1; i < Guard::kMaxBad; ++i) CHECK(guard.add(i, {kNan, 1, 0.01f, 100}));
  CHECK_FALSE(guard.add(10, {4, 1, 0.01f, 100}));
  for (int64_t i = 1; i < Guard::kMaxBad; ++i) CHECK(guard.add(10 + i, {4, kNan, 0.01f, 100}));
  CHECK_THROWS_WITH_AS(guard.add(20, {kNan, 2, 0.01f, 100}),
                       "training: loss nan and gradient norm 2 at step 20: 10 steps in a row were not finite; a "
                       "learning rate below 0.01 may help",
                       Error);
}

TEST_CASE("a model whose loss is not finite, or more than twice that of guessing and of the first step, is at fault") {
  const double guessing = std::log(640);
  Guard guard(640);
  CHECK_FALSE(guard.fault(1.9 * guessing));
  CHECK(guard.fault(2.1 * guessing) == fmt::format("its loss is {:.4g}, that of guessing 6.461", 2.1 * guessing));
  CHECK(guard.fault(double(kNan)) == "its loss is not finite");
  CHECK(guard.fault(std::numeric_limits<double>::infinity()) == "its loss is not finite");
  // A model that began worse than guessing may stay so.
  guard.add(1, {20, 1, 0.01f, 100});
  guard.add(2, {5, 1, 0.01f, 100});
  CHECK(guard.first_loss() == 20);
  CHECK_FALSE(guard.fault(39));
  CHECK(guard.fault(41));
  CHECK_FALSE(Guard(640, 20).fault(39));
}

TEST_CASE("a weight that is not finite, or whose square is not, is named") {
  Model model = sample_model();
  CHECK_FALSE(broken_weight(model));
  for (const float bad : {kNan, std::numeric_limits<float>::infinity(), 2e19f, -2e19f}) {
    float& weight = model.weights->at("lm_head.weight").as<float>()[5];
    const float good = std::exchange(weight, bad);
    CHECK(broken_weight(model) == fmt::format("lm_head.weight holds {}", bad));
    weight = good;
  }
  add_lora(model, {.rank = 2}, 7);
  CHECK_FALSE(broken_weight(model));
  const std::string adapter = trained_specs(model.config)[0].name;
  model.weights->at(adapter).as<float>()[0] = kNan;
  CHECK(broken_weight(model) == adapter + " holds nan");
}

}  // namespace tinyllm::test
