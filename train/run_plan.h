#pragma once

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/train/run.h>

#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// Everything that decides what a run computes, as names and values: a checkpoint belongs to one plan.
using RunPlan = std::vector<std::pair<std::string, std::string>>;
RunPlan plan_of(const Model& model, const std::vector<Stage>& stages);
/// The plan as a JSON object, for a note in a checkpoint.
std::string json_of(const RunPlan& plan);

/// What a checkpoint says beside its tensors. Whoever wrote the file may have written anything: nothing is believed.
struct CheckpointNotes {
  static constexpr const char* kStage = "stage";
  static constexpr const char* kPlan = "plan";
  static constexpr const char* kBest = "best";
  static constexpr const char* kFirstLoss = "first_loss";

  size_t stage;       ///< Which of the stages.
  int64_t step;       ///< Steps of it that are done.
  double best;        ///< Its lowest validation loss; infinite before the first validation.
  double first_loss;  ///< Of its first step; 0 if unknown.
};

/// Reads the notes of a checkpoint. Its stage may have been given another number of steps, if this makes no difference
/// to those that are done. Throws Error if the checkpoint belongs to another run, saying which settings differ, or if a
/// note is missing or cannot be; `number` is that of its file: the steps that are done in all stages.
CheckpointNotes read_notes(const Safetensors& checkpoint, int64_t number, const Model& model,
                           const std::vector<Stage>& stages);

}  // namespace tinyllm
