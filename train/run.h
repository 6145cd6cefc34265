#pragma once

#include <tinyllm/train/trainer.h>

#include <functional>
#include <memory>
#include <string>

namespace tinyllm {

/// One stretch of a run: data and a recipe.
struct Stage {
  std::string name;
  std::shared_ptr<const RowSource> train;
  std::shared_ptr<const RowSource> held_out;
  Recipe recipe;
};

/// What a run tells while it goes.
struct Progress {
  const Stage* stage;
  int64_t step;  ///< Of this stage, counted from 1.
  float loss;    ///< Smoothed over about fifty steps.
  float rate;
  float grad_norm;
  double tokens_per_second;
  double seconds_left;  ///< Of this stage.
};

/// The log of a run in its folder, see metrics.h. Steps count over all stages. Lines have:
///   run         {...}: the settings, at the start and when the run goes on
///   stage, loss, grad_norm, rate, tokens (learned from so far), tokens_per_second, seconds_left: after every step
///   held_out_loss, perplexity: after a stage
///   event: what the guard says
inline constexpr const char* kMetricsFile = "metrics.jsonl";
/// The log as a page, written when a run ends or stops.
inline constexpr const char* kReportFile = "report.html";

struct RunOptions {
  std::filesystem::path folder;  ///< The model folder; checkpoints are in it while the run is not finished.
  double save_seconds = 60;      ///< Between checkpoints.
  std::function<void(const Progress&)> on_step = {};
  /// After each stage: the mean loss on its held-out data.
  std::function<void(const Stage&, double held_out_loss)> on_stage = {};
  /// In words: a step that was skipped, a jump of the loss, a damaged checkpoint that was passed over.
  std::function<void(const std::string&)> on_event = {};
  std::function<bool()> should_stop = {};  ///< Asked before each step.
};

/// Trains a model through stages. The folder always holds a checkpoint or a finished model, so that the same call with
/// the same stages goes on where it was stopped, and ends with the same bits as if it had not been. Returns false when
/// stopped, after saving. Throws Error when the folder's checkpoint is of other stages (which settings differ), and
/// when many steps in a row are not finite (guard.h): what was saved last stays.
bool run_stages(Model& model, const std::vector<Stage>& stages, ThreadPool& pool, const RunOptions& options);

/// Whether a folder has a run that can go on.
bool has_checkpoint(const std::filesystem::path& folder);

}  // namespace tinyllm
