#pragma once

#include <tinyllm/train/run.h>

#include "parse.h"

#include <string>
#include <vector>

namespace tinyllm::cli {

/// What the programs that train a model folder from data of one's own have in common.
struct TrainingOptions {
  Recipe recipe;
  double epochs = 1;  ///< Where the recipe has no steps.
  std::string output;
  int threads = hardware_threads();
  double save_seconds = 300;
  int64_t validate_every = 250;
  std::vector<std::string> prompts;
  int dashboard = -1;  ///< The port; none where negative.
};

/// Adds the options, whose defaults are the values that `o` has and `fastest_precision()`, and `--config`, a file that
/// says the same.
void add_training_options(CLI::App& app, TrainingOptions& o);

/// Throws Error when the output is a folder with a model that no run is to go on with: it would be overwritten.
void check_output(const TrainingOptions& o);

/// Fills in what the options leave open: steps for the epochs of the data, and fp32 where the CPU lacks the precision.
void settle(TrainingOptions& o, const RowSource& data);

/// Trains one stage with a bar, validations and the dashboard, and says where the model is. Returns the program's exit
/// code: 1 when interrupted.
int train(Model& model, const Stage& stage, const CLI::App& app, const TrainingOptions& o, RunOptions run);

}  // namespace tinyllm::cli
