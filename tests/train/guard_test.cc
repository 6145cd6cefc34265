#include <doctest/doctest.h>

#include <tinyllm/train/guard.h>

#include <limits>

namespace tinyllm::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// What is said about losses, each with the step that it is said at.
std::vector<std::pair<int64_t, std::string>> said(const std::vector<float>& losses) {
  Guard guard;
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
  CHECK(Guard().add(7, {2, kNan, 0.01f, 100}) ==
        "loss 2 and gradient norm nan at step 7: skipped, the weights stay as they were");
  CHECK(Guard().add(7, {kNan, 2, 0.01f, 100}) ==
        "loss nan and gradient norm 2 at step 7: the weights were moved all the same");
}

TEST_CASE("a step that had nothing to learn is said") {
  CHECK(Guard().add(7, {0, 0, 0.01f, 0}) == "step 7 had nothing to learn: skipped");
}

TEST_CASE("steps that are not finite are counted, and too many in a row end the run") {
  Guard guard;
  for (int64_t i = 1; i < Guard::kMaxBad; ++i) CHECK(guard.add(i, {kNan, 1, 0.01f, 100}));
  CHECK_FALSE(guard.add(10, {4, 1, 0.01f, 100}));
  for (int64_t i = 1; i < Guard::kMaxBad; ++i) CHECK(guard.add(10 + i, {4, kNan, 0.01f, 100}));
  CHECK_THROWS_WITH_AS(guard.add(20, {kNan, 2, 0.01f, 100}),
                       "training: loss nan and gradient norm 2 at step 20: 10 steps in a row were not finite; a "
                       "learning rate below 0.01 may help",
                       Error);
}

}  // namespace tinyllm::test
