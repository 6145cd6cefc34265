#pragma once

#include <tinyllm/train/run.h>

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace tinyllm {

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

/// Adds the options, whose defaults are the values that `o` has, `--config`, a file that says the same, and
/// `--version`.
void add_training_options(CLI::App& app, TrainingOptions& o);

/// Reads the command line; ends the program where there is nothing to do or it is wrong.
void parse_options(CLI::App& app, int argc, char** argv);

/// Fills in what the options leave open: steps for the epochs of the data, and fp32 where the CPU lacks the precision.
void settle(TrainingOptions& o, const RowSource& data);

/// Trains one stage with a bar, validations and the dashboard, and says where the model is. Returns the program's exit
/// code: 1 when interrupted.
int train(Model& model, const Stage& stage, const CLI::App& app, const TrainingOptions& o, RunOptions run);

}  // namespace tinyllm
