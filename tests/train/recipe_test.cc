#include <doctest/doctest.h>

#include "train/sample_run.h"

namespace tinyllm::test {

TEST_CASE("the learning rate rises, then goes down as the schedule says") {
  struct Case {
    Schedule schedule;
    int64_t step;
    double expected;
  };
  const Case cases[] = {
      {Schedule::cosine, 0, 0.2},   {Schedule::cosine, 9, 2.0}, {Schedule::cosine, 60, 1.1},
      {Schedule::cosine, 110, 0.2}, {Schedule::linear, 9, 2.0}, {Schedule::linear, 35, 1.55},
      {Schedule::linear, 110, 0.2}, {Schedule::wsd, 9, 2.0},    {Schedule::wsd, 85, 2.0},
      {Schedule::wsd, 97, 1.136},   {Schedule::wsd, 110, 0.2},
  };
  for (const Case& c : cases) {
    const Recipe recipe{
        .steps = 110, .rate = 2.0f, .schedule = c.schedule, .final_rate = 0.1f, .warmup = 10, .cooldown = 0.25f};
    CHECK_MESSAGE(double(rate_at(recipe, c.step)) == doctest::Approx(c.expected).epsilon(1e-6),
                  fmt::format("{} at step {}", name_of(c.schedule), c.step));
  }
}

TEST_CASE("rows are short for a part of the steps where the recipe says so") {
  const Recipe recipe{.length = 48, .first_length = 16, .lengthen_at = 0.25f, .steps = 8};
  CHECK(length_at(recipe, 0) == 16);
  CHECK(length_at(recipe, 1) == 16);
  CHECK(length_at(recipe, 2) == 48);
  CHECK(length_at({.length = 48}, 0) == 48);
}

TEST_CASE("what cannot be in a recipe is named") {
  struct Case {
    Recipe recipe;
    const char* message;
  };
  const Case cases[] = {
      {{.rows = 0}, "training: rows 0, expected 1 or more"},
      {{.length = 49}, "training: length 49, expected 1 to 48"},
      {{.length = 48, .first_length = 32}, "training: first length 32, expected 0, or a divisor of 48"},
      {{.length = 48, .lengthen_at = 1.5f}, "training: lengthen at 1.5, expected 0 to 1 of the steps"},
      {{.length = 48, .z_loss = -1}, "training: z loss -1, expected 0 or more"},
      {{.length = 48, .accumulate = 0}, "training: accumulate 0, expected 1 or more"},
      {{.length = 48, .rate = -1}, "training: rate -1, expected a number above 0"},
      {{.length = 48, .final_rate = 2}, "training: final rate 2, expected 0 to 1 of the highest"},
      {{.length = 48, .cooldown = 0}, "training: cooldown 0, expected above 0, up to 1 of the steps"},
      {{.length = 48, .clip = 0}, "training: clip 0, expected above 0"},
      {{.length = 48, .momentum = 1}, "training: momentum 1, expected 0 to below 1"},
      {{.length = 48, .average = 1}, "training: average 1, expected 0 to below 1"},
  };
  for (const Case& c : cases) CHECK_THROWS_WITH_AS(check(c.recipe, {.context = 48}), c.message, Error);
  CHECK_THROWS_WITH_AS(check({.length = 48}, {.context = 48, .types = {q8_0, q8_0}}),
                       "training: the model is quantised, expected one with float weights", Error);
}

TEST_CASE("two recipes that train other bits have other settings") {
  const auto base = settings({});
  const Recipe others[] = {{.rows = 9},
                           {.length = 255},
                           {.first_length = 128},
                           {.first_length = 128, .lengthen_at = 0.6f},
                           {.accumulate = 2},
                           {.steps = 1},
                           {.rate = 3.0001e-4f},
                           {.schedule = Schedule::wsd},
                           {.final_rate = 0},
                           {.warmup = 99},
                           {.clip = 2},
                           {.beta2 = 0.98f},
                           {.decay = 0},
                           {.z_loss = 1e-4f},
                           {.average = 0.9f},
                           {.seed = 2},
                           {.optimizer = Optimizer::muon},
                           {.precision = Precision::bf16}};
  for (const Recipe& other : others) CHECK(settings(other) != base);
  CHECK(settings(others[2]) != settings(others[3]));
  CHECK(settings({.recompute = true}) == base);
}

}  // namespace tinyllm::test
