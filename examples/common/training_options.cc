#include "training_options.h"

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/peak.h>
#include <tinyllm/train/monitor/dashboard.h>
#include "run_display.h"

#include "interrupt.h"

#include <cmath>

namespace tinyllm::cli {
namespace {

template <class Enum>
void add_enum(CLI::App& app, const std::string& option, Enum& value, const std::vector<Enum>& all,
              const std::string& description) {
  std::vector<std::pair<std::string, Enum>> choices;
  for (const Enum each : all) choices.emplace_back(name_of(each), each);
  add_choice(app, option, value, choices, description)->group("Recipe");
}

template <class Number>
CLI::Option* add_number(CLI::App& app, const std::string& name, Number& value, const std::string& description) {
  return app.add_option(name, value, description)->capture_default_str()->group("Recipe");
}

void add_recipe(CLI::App& app, Recipe& r) {
  add_number(app, "--steps", r.steps,
             "Training steps; 0: as many as --epochs needs. May be changed while the rate of wsd is flat");
  add_number(app, "--batch", r.rows, "Rows that are computed at once");
  add_number(app, "--accumulate", r.accumulate, "Batches in a step: as one so many times as large, without its memory");
  add_number(app, "--length", r.length, "Tokens in a row");
  add_number(app, "--first-length", r.first_length, "Tokens in the rows of the first steps; 0: as later");
  add_number(app, "--lengthen-at", r.lengthen_at, "The part of the steps after which rows have their full length");
  add_enum(app, "--optimizer", r.optimizer, {Optimizer::adamw, Optimizer::muon}, "Of hidden matrices");
  add_number(app, "--rate", r.rate, "Highest learning rate");
  add_enum(app, "--schedule", r.schedule, {Schedule::cosine, Schedule::linear, Schedule::wsd},
           "How the rate goes down; wsd: not until the cool-down");
  add_number(app, "--warmup", r.warmup, "Steps in which the rate rises");
  add_number(app, "--cooldown", r.cooldown, "The part of the steps in which the rate of wsd goes down");
  add_number(app, "--final-rate", r.final_rate, "The last rate, as a part of the highest");
  add_number(app, "--clip", r.clip, "Largest global norm of the gradient");
  add_number(app, "--beta2", r.beta2, "Of AdamW");
  add_number(app, "--momentum", r.momentum, "Of Muon");
  add_number(app, "--decay", r.decay, "Weight decay of matrices");
  add_number(app, "--z-loss", r.z_loss, "Weight of the z-loss, as 1e-4; 0: none");
  add_number(app, "--average", r.average, "Part that the average of the weights keeps at a step, as 0.999; 0: none");
  add_number(app, "--seed", r.seed, "Of weights, order and dropout: same seed and precision, same model");
  add_enum(app, "--precision", r.precision, {Precision::fp32, Precision::bf16},
           "Of matrix products; bf16 needs AVX512-BF16. The default is what is faster on this CPU: to be given where "
           "a run goes on or is repeated on another");
  app.add_flag("--recompute", r.recompute, "Compute more, to need less memory; the result is the same")
      ->group("Recipe");
}

}  // namespace

void add_training_options(CLI::App& app, TrainingOptions& o) {
  app.set_config("--config", "", "Read options from this file, such as the options.toml of another run");
  app.add_option("--output", o.output, "The model folder; the run and its log are in it too")->required();
  app.add_option("--threads", o.threads, "Threads to compute with; the result is the same for any number")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--save-seconds", o.save_seconds, "Between checkpoints")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--validate-every", o.validate_every, "Steps between validations; 0: only at the end")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--prompt", o.prompts, "What the model is to go on from at each validation; may be given again")
      ->capture_default_str();
  app.add_option("--dashboard", o.dashboard,
                 "Show the run in a browser, on this port of this machine; 0: a free one, -1: do not")
      ->check(CLI::Range(-1, 65535))
      ->capture_default_str();
  app.add_option("--epochs", o.epochs, "Times through the data, where --steps is 0")
      ->check(CLI::PositiveNumber)
      ->capture_default_str()
      ->group("Recipe");
  o.recipe.precision = fastest_precision();
  add_recipe(app, o.recipe);
}

void check_output(const TrainingOptions& o) {
  const std::filesystem::path folder = o.output;
  if (std::filesystem::exists(folder / kWeightsFile) && !has_checkpoint(folder)) {
    throw Error("{}: holds a finished model; remove it, or give another --output", o.output);
  }
}

void settle(TrainingOptions& o, const RowSource& data) {
  Recipe& recipe = o.recipe;
  if (recipe.steps == 0) {
    const double batches = o.epochs * static_cast<double>(data.rows()) / static_cast<double>(recipe.batch_rows());
    recipe.steps = std::max<int64_t>(1, std::llround(batches));
  }
  if (!is_supported(recipe.precision)) {
    fmt::print(stderr, "{} asks for a CPU with AVX512-BF16 and its kernels: computing in fp32\n",
               name_of(recipe.precision));
    recipe.precision = Precision::fp32;
  }
}

int train(Model& model, const Stage& stage, const CLI::App& app, const TrainingOptions& o, RunOptions run) {
  const InterruptGuard guard;
  ThreadPool pool(o.threads);
  run.folder = o.output;
  run.save_seconds = o.save_seconds;
  run.validate_every = o.validate_every;
  run.peak = arithmetic_peak(pool, stage.recipe.precision);
  run.options = app.config_to_str(true, false);
  run.should_stop = [] { return interrupts > 0; };
  const RunDisplay display(run);
  fmt::print("model: {:.2f} M parameters, {} tokens, {} layers of {}; {} threads, {} products, {}\n",
             static_cast<double>(parameter_count(model.config)) / 1e6, model.config.vocab_size, model.config.n_layers,
             model.config.dim, o.threads, name_of(stage.recipe.precision), cpu_features());
  fmt::print("{}: {} steps of {} x {} tokens\n", stage.name, stage.recipe.steps, stage.recipe.batch_rows(),
             stage.recipe.seq_len);
  std::optional<Dashboard> dashboard;
  if (o.dashboard >= 0) {
    dashboard.emplace(o.dashboard, run.folder / kMetricsFile);
    fmt::print(stderr, "the run in a browser: http://127.0.0.1:{}\n", dashboard->port());
  }
  if (has_checkpoint(run.folder)) fmt::print(stderr, "{}: going on where it was stopped\n", o.output);
  if (!run_stages(model, {stage}, pool, run)) {
    fmt::print(stderr, "\nstopped; {} is saved and the same command goes on from there\n", o.output);
    return 1;
  }
  fmt::print("saved {}; its curves: {}\n", o.output, (run.folder / kReportFile).string());
  return 0;
}

}  // namespace tinyllm::cli
