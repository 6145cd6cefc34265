#pragma once

#include <tinyllm/train/data/seen_questions.h>
#include <tinyllm/train/data/token_file.h>
#include <tinyllm/train/run.h>

#include "parse.h"

#include <optional>
#include <string>
#include <vector>

namespace tinyllm::cli {

/// An option that has an effect only together with another one.
struct Dependent {
  std::string option;  ///< Its long name.
  bool has_effect;
  std::string needs;  ///< What is missing: "without --optimizer muon".
};

/// Options that all programs share that train a model folder.
struct TrainingOptions {
  Recipe recipe;
  std::optional<Precision> precision;  ///< None: the faster one on this machine.
  double epochs = 1;                   ///< Used if the recipe has no steps.
  std::string output;
  bool overwrite = false;
  bool dry_run = false;
  int threads = hardware_threads();
  double save_seconds = 300;
  int64_t validate_every = 250;
  std::vector<std::string> prompts;
  int dashboard = -1;  ///< The port; negative: no dashboard.
  SeenQuestions seen;  ///< The questions of the data, which the output folder keeps for `evaluate`.

  std::vector<Dependent> dependents;  ///< Those of the program itself. `check_options` adds the others.
};

/// The recipe that learned fastest of those compared in docs/results.md, but for the sizes of a run.
Recipe best_recipe();
/// Gives a model the form that goes with it: norms of queries and keys, and relu^2.
void set_best_form(ModelConfig& model);

/// Adds `--config` and the options, with the current values of `o` as defaults. `o` must not move.
void add_training_options(CLI::App& app, TrainingOptions& o);

/// Checks all options together, for a model of this context. Throws UsageError with all problems.
void check_options(const CLI::App& app, const TrainingOptions& o, int64_t context);

/// Sets the precision of the recipe: the faster one if the options do not say, fp32 if the CPU does not support bf16.
void settle_precision(TrainingOptions& o);
/// Sets the steps of the recipe from the epochs and the size of the data, unless it has steps already.
void settle_steps(TrainingOptions& o, const RowSource& data);

/// Opens a file of tokens, with a progress bar while a large one is checked.
std::shared_ptr<const TokenFile> open_tokens(const std::string& path, const Tokenizer& tokenizer);

/// Locks the output folder, unless it is a dry run. Throws Error if another process holds the lock, or if the folder
/// has a finished model and `--overwrite` was not given.
std::unique_ptr<FolderLock> lock_output(const TrainingOptions& o);

/// Trains through all stages with a progress bar, validations and the dashboard, and prints where the model is. With
/// `--dry-run` it prints what the run would need instead. Returns the program's exit code: 1 when interrupted.
int train(Model& model, const std::vector<Stage>& stages, const CLI::App& app, const TrainingOptions& o,
          RunOptions run);

/// Each prompt as running text.
std::vector<SamplePrompt> text_prompts(const TrainingOptions& o, const Tokenizer& tokenizer);

}  // namespace tinyllm::cli
