#pragma once

#include <tinyllm/tensor/base/folder_lock.h>
#include <tinyllm/train/evaluator.h>
#include <tinyllm/train/monitor/metrics.h>
#include <tinyllm/train/trainer.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace tinyllm {

/// One part of a run: data and a recipe.
struct Stage {
  std::string name;
  std::shared_ptr<const RowSource> train;
  std::shared_ptr<const RowSource> validation;
  Recipe recipe;
  Objective objective = next_token();
  std::optional<Objective> validated_by = {};  ///< What validation measures; empty: the objective.

  const Objective& measure() const { return validated_by ? *validated_by : objective; }
};

/// What a run reports after each step.
struct StepReport {
  const Stage* stage;
  int64_t step;       ///< Counted from 1 over all stages: it never goes back.
  int64_t all_steps;  ///< Of all stages.
  float loss;         ///< Smoothed over about fifty steps.
  float learning_rate;
  float grad_norm;
  double validation_loss;  ///< Of the last validation of this stage; 0 before the first.
  double tokens_per_second;
  double fraction_of_peak;  ///< Of RunOptions::peak; 0 if that is unknown.
  int64_t resident_bytes;   ///< Of this process; 0 if the system does not report it.
  double seconds_left;      ///< Of the run.
};

/// How a model continues a prompt.
struct SampleText {
  std::string prompt;
  std::string text;
};

/// What a run reports after a validation.
struct Validation {
  const Stage* stage;
  int64_t step;  ///< Of this stage.
  Evaluation result;
  bool is_best;  ///< The lowest loss of this stage so far.
  bool is_last;  ///< After the stage's last step.
  std::vector<SampleText> samples;
};

/// Tokens for a model to continue, and the text to show for them.
struct SamplePrompt {
  std::string text;
  std::vector<int32_t> tokens;
};

/// The log of a run in its folder, see metrics.h. Steps count over all stages. Lines have:
///   run         {...}: the settings, at the start and when the run continues; among them "steps", of all stages
///   mix         [{name, weight, share, samples, tokens}]: the data, where RunOptions::mix names it
///   stage, loss, grad_norm, lr, seq_len, tokens (learned from so far), tokens_per_second, fraction_of_peak,
///               resident_bytes, seconds_left: after every step; the smoothed numbers where they are known
///   stage, validation_loss, perplexity, bits_per_byte, best: at a validation
///   prompt, sample: at a validation, for each prompt
///   event:      what the guard reports
inline constexpr const char* kMetricsFile = "metrics.jsonl";
/// The log as a page, written when a run ends or stops.
inline constexpr const char* kReportFile = "report.html";
/// The options of the run, in the form that the program reads them.
inline constexpr const char* kOptionsFile = "options.toml";
/// The best model of the last stage by validation loss. Removed if the final model is the best.
inline constexpr const char* kBestFolder = "best";

struct RunOptions {
  std::filesystem::path folder;  ///< The model folder; checkpoints are in it while the run is not finished.
  /// The caller's lock of the folder. Null: the run locks it itself.
  const FolderLock* lock = nullptr;
  double save_seconds = 60;                ///< Between checkpoints.
  int64_t validate_every = 0;              ///< Steps; 0: only after each stage.
  std::vector<SamplePrompt> prompts = {};  ///< For the model to continue at each validation.
  std::vector<DataPart> mix = {};
  double peak = 0;           ///< Of the machine, in operations a second, see ops/peak.h.
  std::string options = {};  ///< For kOptionsFile.
  std::function<void(const StepReport&)> on_step = {};
  std::function<void(const Validation&)> on_validation = {};
  /// Receives messages, for example about a skipped step, a jump of the loss or a damaged checkpoint.
  std::function<void(const std::string&)> on_event = {};
  std::function<bool()> should_stop = {};  ///< Asked before each step.
  /// Called with the finished model before it is saved.
  std::function<void(Model&)> finish = {};
};

/// Trains a model through stages. The folder always holds a checkpoint or a finished model, so that the same call with
/// the same stages resumes where it was stopped, and ends with the same bits as if it had not been. The number of steps
/// of a stage may change as long as the learning rates of the steps done stay the same: under Schedule::wsd, until its
/// learning rate falls. Returns false when stopped, after saving. A model that cannot answer (guard.h) is never saved,
/// nor is a checkpoint of it: it throws Error that says why, and the last saved files stay. It also throws Error when
/// another process holds the folder, when the folder's checkpoint belongs to other stages (which settings differ), and
/// when many steps in a row are not finite.
bool run_stages(Model& model, const std::vector<Stage>& stages, const ThreadPool& pool, const RunOptions& options);

/// Whether a folder has a run that can be resumed.
bool has_checkpoint(const std::filesystem::path& folder);

}  // namespace tinyllm
