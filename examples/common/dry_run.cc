#include "dry_run.h"

#include <tinyllm/ops/peak.h>
#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/memory_limit.h>
#include <tinyllm/tensor/base/progress.h>

#include "interrupt.h"
#include "program.h"
#include "progress_bar.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace tinyllm::cli {
namespace {

constexpr double kGigabyte = 1e9;

double gigabytes(size_t bytes) { return static_cast<double>(bytes) / kGigabyte; }

int64_t tokens_of(const Recipe& recipe) { return recipe.batch_rows() * recipe.seq_len; }

// The largest of all stages.
Memory memory_of(const Model& model, const std::vector<Stage>& stages, int threads) {
  Memory most;
  for (const Stage& stage : stages) {
    const Memory memory = training_memory(model.config, stage.recipe, threads, {.objective = stage.objective});
    if (memory.total() > most.total()) most = memory;
  }
  return most;
}

struct Speed {
  double tokens_per_second;
  std::string found_from;
};

// The time of steps with full rows. The first one is not counted, because it allocates memory.
Speed measured(Model& model, const Stage& stage, ThreadPool& pool) {
  constexpr int kSteps = 2;
  Recipe recipe = stage.recipe;
  recipe.first_seq_len = 0;
  Trainer trainer(model, recipe, pool, {.objective = stage.objective});
  trainer.step(stage.train->batch(recipe.batch_rows(), recipe.seed, 0));
  const Clock::time_point start = Clock::now();
  int steps = 0;
  for (; steps < kSteps && interrupts == 0; ++steps) {
    trainer.step(stage.train->batch(recipe.batch_rows(), recipe.seed, steps + 1));
  }
  const double seconds = seconds_since(start);
  if (steps == 0) throw Stopped();
  return {static_cast<double>(steps * tokens_of(recipe)) / seconds, fmt::format("measured in {} steps", steps)};
}

// An estimate, for when the steps do not fit in memory.
Speed estimated(const Model& model, const Stage& stage, ThreadPool& pool) {
  constexpr double kEfficiency = 0.5;  // The fraction of the peak that a step usually reaches.
  const Recipe& recipe = stage.recipe;
  const double flops = step_flops(model.config, recipe.batch_rows(), recipe.seq_len);
  const double peak = arithmetic_peak(pool, recipe.precision);
  return {kEfficiency * peak * static_cast<double>(tokens_of(recipe)) / flops,
          fmt::format("estimated as {:.0f} % of this machine's peak", 100 * kEfficiency)};
}

}  // namespace

void check_memory(const Model& model, const std::vector<Stage>& stages, int threads) {
  const Memory memory = memory_of(model, stages, threads);
  const size_t needed = memory.total() - memory.parameters;  // The parameters are there already.
  const auto available = static_cast<double>(available_memory().value_or(0));
  if (available == 0 || static_cast<double>(needed) < available) return;
  throw Error(
      "training needs {:.1f} GB besides the model's {:.1f} GB, and {:.1f} GB are available: a smaller --batch-size or "
      "--seq-len and --checkpoint-activations need less, and adapters (finetune --lora-rank) far less",
      gigabytes(needed), gigabytes(memory.parameters), available / kGigabyte);
}

int dry_run(Model& model, const std::vector<Stage>& stages, ThreadPool& pool) {
  const Memory memory = memory_of(model, stages, pool.threads());
  const auto available = static_cast<double>(available_memory().value_or(0));
  fmt::print("memory: {:.2f} GB: {:.2f} for parameters, {:.2f} for the optimizer, {:.2f} for activations",
             gigabytes(memory.total()), gigabytes(memory.parameters), gigabytes(memory.states),
             gigabytes(memory.activations + memory.inputs));
  fmt::print("{}\n", available > 0 ? fmt::format("; {:.2f} GB available", available / kGigabyte) : "");
  const bool fits = available == 0 || static_cast<double>(memory.total()) < available;
  double seconds = 0;
  int64_t steps = 0, tokens = 0;
  Speed speed;
  for (const Stage& stage : stages) {
    speed = fits ? measured(model, stage, pool) : estimated(model, stage, pool);
    const int64_t count = stage.recipe.steps * tokens_of(stage.recipe);
    seconds += static_cast<double>(count) / speed.tokens_per_second;
    steps += stage.recipe.steps;
    tokens += count;
  }
  fmt::print("work: {}, {:.1f} M tokens, {:.1f} for each parameter\n", counted(steps, "step"),
             static_cast<double>(tokens) / 1e6,
             static_cast<double>(tokens) / static_cast<double>(parameter_count(model.config)));
  fmt::print("time: about {} at {:.0f} tokens/s, {}; validation and saving not counted\n", clock_time(seconds),
             speed.tokens_per_second, speed.found_from);
  if (!fits) fmt::print("the run does not fit the memory that is available\n");
  fmt::print("nothing was written\n");
  return 0;
}

}  // namespace tinyllm::cli
