#pragma once

#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/train/run.h>

#include <string>
#include <utility>
#include <vector>

namespace tinyllm {

/// A hash of all weights.
uint64_t weights_hash(const Model& model);

/// Everything that decides what a run computes, as names and values: a checkpoint belongs to one plan.
using RunPlan = std::vector<std::pair<std::string, std::string>>;
RunPlan plan_of(const Model& model, const std::vector<Stage>& stages);
/// The plan as a JSON object, for a note in a checkpoint.
std::string json_of(const RunPlan& plan);

/// The notes of a checkpoint, which are its metadata. They may be wrong, so every note is checked.
struct CheckpointNotes {
  static constexpr const char* kStage = "stage";
  static constexpr const char* kPlan = "plan";
  static constexpr const char* kBest = "best";
  static constexpr const char* kFirstLoss = "first_loss";

  size_t stage;       ///< Index of the stage.
  int64_t step;       ///< Steps done in this stage.
  double best;        ///< Its lowest validation loss; infinite before the first validation.
  double first_loss;  ///< Of its first step; 0 if unknown.
};

/// Reads the notes of a checkpoint. `number` is the one in its file name: the steps done in all stages. The checkpoint
/// may have another number of steps for its stage if that does not change the steps done. Throws Error if the
/// checkpoint belongs to another run (the message says which settings differ), or if a note is missing or invalid.
CheckpointNotes read_notes(const Safetensors& checkpoint, int64_t number, const Model& model,
                           const std::vector<Stage>& stages);

}  // namespace tinyllm
