#include "training_options.h"

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/peak.h>
#include <tinyllm/train/monitor/dashboard.h>
#include <tinyllm/train/recipe_fields.h>

#include "dry_run.h"
#include "interrupt.h"
#include "run_display.h"

#include <cmath>
#include <cstdio>
#include <sstream>

namespace tinyllm::cli {
namespace {

// The option that sets a field of Recipe: its name, `--batch-size`, or a shorter one.
std::string option_of(std::string_view field) {
  constexpr std::pair<const char*, const char*> kShorter[] = {
      {"learning_rate", "--lr"}, {"final_lr_fraction", "--final-lr"}, {"schedule", "--lr-schedule"}};
  for (const auto& [name, option] : kShorter) {
    if (field == name) return option;
  }
  std::string option = fmt::format("--{}", field);
  std::ranges::replace(option, '_', '-');
  return option;
}

void add_recipe(CLI::App& app, TrainingOptions& o) {
  for_each_field(kRecipeFields, [&]<class T>(const Field<Recipe, T>& field) {
    const std::string option = option_of(field.name);
    T& value = o.recipe.*field.member;
    if constexpr (std::is_same_v<T, Precision>) {
      add_choice(app, option, o.precision,
                 {{"auto", std::optional<Precision>()}, {"fp32", Precision::fp32}, {"bf16", Precision::bf16}},
                 std::string(field.meaning) + " auto takes the faster one, and bf16 needs a CPU with AVX512-BF16.")
          ->group("Recipe");
    } else if constexpr (Named<T>) {
      add_choice(app, option, value, field.meaning)->group("Recipe");
    } else {
      add_number(app, option, value, any_number(), field.meaning)->group("Recipe");
    }
  });
  app.get_option("--steps")->description(
      "Take this many optimizer steps; 0 takes as many as --epochs needs. With --lr-schedule wsd, a run that is "
      "resumed "
      "may have another number until the learning rate falls.");
  add_number(app, "--epochs", o.epochs, {.low = 0, .high = 1e6, .excludes_low = true},
             "Go through the training data this many times if --steps is 0.")
      ->group("Recipe");
  app.add_flag("--checkpoint-activations", o.recipe.checkpoint_activations,
               "Compute activations again in the backward pass: less memory and more time for the same result.")
      ->group("Recipe");
}

// All options that have an effect only together with another one.
std::vector<Dependent> dependents_of(const TrainingOptions& o) {
  std::vector<Dependent> all = o.dependents;
  for (const Need& need : kNeeds) {
    const std::string other = option_of(need.other) + (need.value.empty() ? "" : fmt::format(" {}", need.value));
    all.push_back({option_of(need.field), need.is_met(o.recipe), "without " + other});
  }
  all.push_back({"--epochs", o.recipe.steps == 0, "with --steps"});
  all.push_back({"--dashboard", !o.dry_run, "with --dry-run"});
  all.push_back({"--overwrite", !o.dry_run, "with --dry-run"});
  return all;
}

bool is_given(const CLI::App& app, const std::string& option) {
  const CLI::Option* found = app.get_option_no_throw(option);
  return found != nullptr && found->count() > 0;
}

// The options in the format that --config reads, without those that have no effect.
std::string options_text(const CLI::App& app, const TrainingOptions& o) {
  std::istringstream lines(app.config_to_str(true, false));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    bool has_effect = true;
    for (const Dependent& each : dependents_of(o)) {
      if (!each.has_effect && line.starts_with(each.option.substr(2) + "=")) has_effect = false;
    }
    if (has_effect) text += line + "\n";
  }
  return text;
}

void introduce(const Model& model, const std::vector<Stage>& stages, const TrainingOptions& o) {
  fmt::print("model: {:.2f} M parameters, {} tokens, {} layers of {}; {}, {} products, {}\n",
             static_cast<double>(parameter_count(model.config)) / 1e6, model.config.vocab_size, model.config.n_layers,
             model.config.dim, counted(o.threads, "thread"), name_of(stages[0].recipe.precision), cpu_features());
  for (const Stage& stage : stages) {
    fmt::print("{}: {} of {} x {} tokens\n", stage.name, counted(stage.recipe.steps, "step"), stage.recipe.batch_rows(),
               stage.recipe.seq_len);
  }
}

}  // namespace

Recipe best_recipe() {
  return {.optimizer = Optimizer::muon,
          .learning_rate = 1.6e-3f,
          .embedding_lr = 10,
          .head_lr = 4,
          .schedule = Schedule::wsd,
          .final_lr_fraction = 0,
          .warmup = 30,
          .cooldown = 0.5f};
}

void set_best_form(ModelConfig& model) {
  model.qk_norm = true;
  model.ffn = FeedForward::relu2;
}

void add_training_options(CLI::App& app, TrainingOptions& o) {
  app.set_config("--config", "", "Read options from this file, for example the options.toml of another run.")
      ->type_name("FILE");
  CLI::Option* output =
      app.add_option("-o,--output", o.output, "Save the model in this folder, which also holds the run and its log.")
          ->type_name("FOLDER");
  o.output.empty() ? output->required() : output->capture_default_str();
  app.add_flag("--overwrite", o.overwrite, "Replace the finished model that the output folder holds.")
      ->configurable(false);
  app.add_flag("--dry-run", o.dry_run, "Print the memory, steps and time that the run would need, and write nothing.")
      ->configurable(false);
  add_threads(app, o.threads);
  add_number(app, "--save-seconds", o.save_seconds, at_least(0),
             "Save a checkpoint each time this many seconds have passed.");
  add_number(app, "--validate-every", o.validate_every, at_least(0),
             "Measure the validation loss every N steps; 0 measures it at the end only.");
  app.add_option("-p,--prompt", o.prompts,
                 "Let the model continue this text at each validation; may be given several times.")
      ->type_name("TEXT")
      ->allow_extra_args(false);
  add_number(app, "--dashboard", o.dashboard, between(0, 65535),
             "Show the run in a browser on this machine at this port; 0 takes a free one.")
      ->type_name("PORT")
      ->default_str("");
  add_recipe(app, o);
}

void check_options(const CLI::App& app, const TrainingOptions& o, int64_t context) {
  std::vector<std::string> wrong;
  for (const auto& [field, what] : problems_of(o.recipe, context)) wrong.push_back(option_of(field) + ": " + what);
  for (const auto& [option, has_effect, needs] : dependents_of(o)) {
    if (!has_effect && is_given(app, option)) wrong.push_back(fmt::format("{}: has no effect {}", option, needs));
  }
  if (o.recipe.steps == 0 && app.get_option_no_throw("--epochs") == nullptr) {
    wrong.push_back("--steps: 0, expected 1 or more");
  }
  for (const std::string& prompt : o.prompts) {
    if (prompt.empty()) wrong.push_back("--prompt: is empty, expected some text");
  }
  if (!wrong.empty()) throw UsageError("{}", fmt::join(wrong, "\n"));
}

std::unique_ptr<FolderLock> lock_output(const TrainingOptions& o) {
  if (o.dry_run) return nullptr;
  auto lock = lock_folder(o.output);
  const std::filesystem::path folder = o.output;
  if (!o.overwrite && !has_checkpoint(folder) && has_model(folder)) {
    throw Error("{0}: holds a finished model: talk to it with `chat {0}`, or give another --output, or --overwrite",
                o.output);
  }
  return lock;
}

void settle_precision(TrainingOptions& o) {
  o.recipe.precision = o.precision.value_or(fastest_precision());
  if (is_supported(o.recipe.precision)) return;
  fmt::print(stderr, "--precision {} needs a CPU with AVX512-BF16 and its kernels: computing in fp32\n",
             name_of(o.recipe.precision));
  o.recipe.precision = Precision::fp32;
}

void settle_steps(TrainingOptions& o, const RowSource& data) {
  if (o.recipe.steps > 0) return;
  const double steps = o.epochs * static_cast<double>(data.rows()) / static_cast<double>(o.recipe.batch_rows());
  constexpr double kMost = 0x1p31;  // More is refused by `check`, with a message.
  o.recipe.steps = std::max<int64_t>(1, std::llround(std::min(steps, kMost)));
}

std::shared_ptr<const TokenFile> open_tokens(const std::string& path, const Tokenizer& tokenizer) {
  constexpr int64_t kLarge = 1'000'000'000;
  std::optional<ProgressBar> bar;
  return std::make_shared<const TokenFile>(path, tokenizer, [&](const Progress& p) {
    if (p.total < kLarge) return true;
    if (!bar) bar.emplace("MB", p.total / 1'000'000);
    bar->show(p.done / 1'000'000, "checked");
    return true;
  });
}

std::vector<SamplePrompt> text_prompts(const TrainingOptions& o, const Tokenizer& tokenizer) {
  std::vector<SamplePrompt> prompts;
  for (const std::string& prompt : o.prompts) prompts.push_back({prompt, tokenizer.encode_alone(prompt)});
  return prompts;
}

int train(Model& model, const std::vector<Stage>& stages, const CLI::App& app, const TrainingOptions& o,
          RunOptions run) {
  const InterruptGuard guard("\nStopping after this step, and saving. Press Ctrl-C again to end at once, unsaved.\n");
  introduce(model, stages, o);
  ThreadPool pool(o.threads);
  if (o.dry_run) return dry_run(model, stages, pool);
  check_memory(model, stages, o.threads);
  o.seen.save(o.output);
  run.folder = o.output;
  run.save_seconds = o.save_seconds;
  run.validate_every = o.validate_every;
  run.peak = arithmetic_peak(pool, stages[0].recipe.precision);
  run.options = options_text(app, o);
  const RunDisplay display(run);
  std::optional<Dashboard> dashboard;
  if (o.dashboard >= 0) {
    dashboard.emplace(o.dashboard, run.folder / kMetricsFile);
    fmt::print(stderr, "the run in a browser: http://127.0.0.1:{}\n", dashboard->port());
  }
  if (has_checkpoint(run.folder)) fmt::print(stderr, "{}: resuming where it was stopped\n", o.output);
  const bool is_done = run_stages(model, stages, pool, run);
  if (!is_done) {
    note(fmt::format("\nstopped; {} is saved, and the same command resumes from there\n", o.output));
  }
  display.check();
  if (!is_done) return 1;
  fmt::print("saved {}; its curves: {}\n", o.output, (run.folder / kReportFile).string());
  return 0;
}

}  // namespace tinyllm::cli
