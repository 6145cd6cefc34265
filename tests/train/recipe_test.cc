#include <doctest/doctest.h>

#include <tinyllm/ops/quantized.h>

#include "train/sample_run.h"

#include <algorithm>
#include <limits>

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
    const Recipe recipe{.steps = 110,
                        .learning_rate = 2.0f,
                        .schedule = c.schedule,
                        .final_lr_fraction = 0.1f,
                        .warmup = 10,
                        .cooldown = 0.25f};
    CHECK_MESSAGE(double(learning_rate_at(recipe, c.step)) == doctest::Approx(c.expected).epsilon(1e-6),
                  fmt::format("{} at step {}", name_of(c.schedule), c.step));
  }
}

TEST_CASE("rows are short for a part of the steps where the recipe says so") {
  const Recipe recipe{.seq_len = 48, .first_seq_len = 16, .lengthen_at = 0.25f, .steps = 8};
  CHECK(seq_len_at(recipe, 0) == 16);
  CHECK(seq_len_at(recipe, 1) == 16);
  CHECK(seq_len_at(recipe, 2) == 48);
  CHECK(seq_len_at({.seq_len = 48}, 0) == 48);
}

TEST_CASE("what cannot be in a recipe is named") {
  struct Case {
    Recipe recipe;
    const char* message;
  };
  const Case cases[] = {
      {{.batch_size = 0, .seq_len = 48}, "training: batch_size 0, expected 1 to 1073741824"},
      {{.seq_len = 49}, "training: seq_len 49, expected 1 to 48"},
      {{.seq_len = 48, .first_seq_len = 32}, "training: first_seq_len 32, expected 0, or a divisor of 48 below it"},
      {{.seq_len = 48, .lengthen_at = 1.5f}, "training: lengthen_at 1.5, expected 0 to 1"},
      {{.seq_len = 48, .z_loss = -1}, "training: z_loss -1, expected a number of at least 0"},
      {{.seq_len = 48, .accumulate = 0}, "training: accumulate 0, expected 1 to 1073741824"},
      {{.seq_len = 48, .learning_rate = -1}, "training: learning_rate -1, expected a number above 0"},
      {{.seq_len = 48, .final_lr_fraction = 2}, "training: final_lr_fraction 2, expected 0 to 1"},
      {{.seq_len = 48, .cooldown = 0}, "training: cooldown 0, expected a number above 0 and at most 1"},
      {{.seq_len = 48, .max_grad_norm = 0}, "training: max_grad_norm 0, expected a number above 0"},
      {{.seq_len = 48, .momentum = 1}, "training: momentum 1, expected a number of at least 0 and below 1"},
      {{.seq_len = 48, .ema_decay = 1}, "training: ema_decay 1, expected a number of at least 0 and below 1"},
  };
  for (const Case& c : cases) CHECK_THROWS_WITH_AS(check(c.recipe, {.context = 48}), c.message, Error);
  CHECK_THROWS_WITH_AS(
      check({.seq_len = 48}, {.context = 48, .types = {q8_0, q8_0}}),
      "training: the weights are q8_0, and packed weights stay as they are; train adapters beside them, or a "
      "model with f32 weights",
      Error);
  CHECK_NOTHROW(check({.seq_len = 48}, {.context = 48, .types = {q8_0, q8_0}, .lora = {.rank = 2}}));
}

TEST_CASE("all problems of a recipe are named at once, whatever is no number and whatever would overflow too") {
  const auto fields = [](const Recipe& recipe) {
    std::string all;
    for (const RecipeProblem& problem : problems_of(recipe, 48)) all += problem.field + " ";
    return all;
  };
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  CHECK(fields({.seq_len = 48}) == "");
  CHECK(fields({.batch_size = 0, .seq_len = 49, .steps = -1}) == "steps batch_size seq_len ");
  CHECK(fields({.seq_len = 48, .learning_rate = kNan, .weight_decay = kNan}) == "learning_rate weight_decay ");
  CHECK(fields({.seq_len = 48, .max_grad_norm = kNan, .z_loss = kInfinity}) == "max_grad_norm z_loss ");
  CHECK(fields({.batch_size = kMost, .seq_len = 48, .accumulate = kMost}) == "batch_size accumulate ");
  CHECK(fields({.batch_size = 1 << 20, .seq_len = 48, .accumulate = 1 << 20}) == "batch_size ");
  CHECK(fields({.seq_len = 48, .steps = kMost}) == "steps ");
  CHECK(fields({.seq_len = 48, .accumulate = 4, .steps = int64_t{1} << 30}) == "steps ");
  CHECK(fields({.seq_len = 48, .first_seq_len = 48}) == "first_seq_len ");
}

TEST_CASE("two recipes that train other bits have other settings") {
  const auto base = settings({});
  const Recipe others[] = {{.batch_size = 9},
                           {.seq_len = 255},
                           {.first_seq_len = 128},
                           {.first_seq_len = 128, .lengthen_at = 0.6f},
                           {.accumulate = 2},
                           {.steps = 1},
                           {.learning_rate = 3.0001e-4f},
                           {.embedding_lr = 2},
                           {.head_lr = 2},
                           {.schedule = Schedule::wsd},
                           {.final_lr_fraction = 0},
                           {.warmup = 99},
                           {.max_grad_norm = 2},
                           {.beta2 = 0.98f},
                           {.weight_decay = 0},
                           {.z_loss = 1e-4f},
                           {.ema_decay = 0.9f},
                           {.seed = 2},
                           {.optimizer = Optimizer::muon},
                           {.precision = Precision::bf16}};
  for (const Recipe& other : others) CHECK(settings(other) != base);
  CHECK(settings(others[2]) != settings(others[3]));
  CHECK(settings({.checkpoint_activations = true}) == base);
}

TEST_CASE("a field that has no effect is not among the settings") {
  const auto has = [](const Recipe& recipe, const char* name) {
    return std::ranges::any_of(settings(recipe), [&](const auto& setting) { return setting.first == name; });
  };
  CHECK_FALSE(has({}, "lengthen_at"));
  CHECK_FALSE(has({}, "cooldown"));
  CHECK_FALSE(has({}, "momentum"));
  CHECK(has({.first_seq_len = 128}, "lengthen_at"));
  CHECK(has({.schedule = Schedule::wsd}, "cooldown"));
  CHECK(has({.optimizer = Optimizer::muon}, "momentum"));
}

}  // namespace tinyllm::test
