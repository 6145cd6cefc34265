#pragma once

#include <tinyllm/train/data/token_file.h>
#include <tinyllm/train/run.h>

#include "parse.h"

#include <optional>
#include <string>
#include <vector>

namespace tinyllm::cli {

/// An option that does something only together with another.
struct Dependent {
  std::string option;  ///< Its long name.
  bool has_effect;
  std::string needs;  ///< What is missing: "without --optimizer muon".
};

/// What the programs that train a model folder have in common.
struct TrainingOptions {
  Recipe recipe;
  std::optional<Precision> precision;  ///< None: the faster one on this machine.
  double epochs = 1;                   ///< Where the recipe has no steps.
  std::string output;
  bool overwrite = false;
  bool dry_run = false;
  int threads = hardware_threads();
  double save_seconds = 300;
  int64_t validate_every = 250;
  std::vector<std::string> prompts;
  int dashboard = -1;  ///< The port; none where negative.

  std::vector<Dependent> dependents;  ///< Those of the program itself; `check_options` adds the others.
};

/// Adds the options, whose defaults are the values that `o` has, and `--config`. `o` must stay where it is.
void add_training_options(CLI::App& app, TrainingOptions& o);

/// Checks all options together, for a model of this context. Throws UsageError that says everything that is wrong.
void check_options(const CLI::App& app, const TrainingOptions& o, int64_t context);

/// Puts the precision into the recipe: the faster one where the options leave it open, fp32 where the CPU lacks it.
void settle_precision(TrainingOptions& o);
/// Puts the steps for the epochs of the data into the recipe, unless it has some.
void settle_steps(TrainingOptions& o, const RowSource& data);

/// Opens a file of tokens, with a bar while a large one is checked.
std::shared_ptr<const TokenFile> open_tokens(const std::string& path, const Tokenizer& tokenizer);

/// Locks the output folder, unless nothing is to be written. Throws Error when another process holds it, or when it has
/// a finished model and `--overwrite` was not given.
std::unique_ptr<FolderLock> lock_output(const TrainingOptions& o);

/// Trains through stages with a bar, validations and the dashboard, and says where the model is. With `--dry-run` it
/// says what that would take instead. Returns the program's exit code: 1 when interrupted.
int train(Model& model, const std::vector<Stage>& stages, const CLI::App& app, const TrainingOptions& o,
          RunOptions run);

/// Each prompt as running text.
std::vector<SamplePrompt> text_prompts(const TrainingOptions& o, const Tokenizer& tokenizer);

}  // namespace tinyllm::cli
