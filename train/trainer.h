#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/program.h>
#include <tinyllm/train/recipe.h>
#include <tinyllm/train/row_source.h>

#include <cmath>
#include <map>

namespace tinyllm {

/// Training steps over a model: forward, backward, clipping and the optimiser as one program; with accumulation as two,
/// of which the first runs for each part of the batch.
class Trainer {
 public:
  /// `model` must outlive the trainer. Throws Error when the recipe's rows, length or accumulation cannot be, or its
  /// rows are longer than the model's context.
  Trainer(Model& model, const Recipe& recipe, ThreadPool& pool);
  ~Trainer();

  struct Step {
    float loss;       ///< Mean over the learned targets, before the update.
    float grad_norm;  ///< Before clipping.
    float rate;

    bool is_finite() const { return std::isfinite(loss) && std::isfinite(grad_norm); }
    /// A step whose gradient is not finite leaves weights and moments as they were.
    bool was_taken() const { return std::isfinite(grad_norm); }
  };
  /// Takes the next step with a batch of `recipe.batch_rows()` rows. Throws Error for another number of rows, and where
  /// the CPU lacks the recipe's precision.
  Step step(const Batch& batch);
  int64_t steps_done() const;

  /// What a step computes; with accumulation, what each part of it computes.
  const Graph& graph() const;
  /// Of all programs of a step, in bytes; what they share counts once.
  Memory memory() const;
  /// Takes the next step as `step` does, and says what each op did in it, in no order.
  std::vector<OpTime> profile(const Batch& batch);

  /// The weights' average over the steps, where the recipe has one; at least one step must be done.
  void copy_average(Store& weights) const;

  /// Everything that the next step depends on, in one file: weights (of a model with adapters, these alone), moments,
  /// the number of steps under kStepNote. `notes` are kept with it and given back.
  static constexpr const char* kStepNote = "step";
  void save(const std::filesystem::path& path, std::map<std::string, std::string> notes) const;
  /// Throws Error when the file is of another model.
  void restore(const class Safetensors& checkpoint);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Mean loss of a model over the learned targets of some rows, without dropout and in fp32.
class Evaluator {
 public:
  Evaluator(const Model& model, int64_t rows, int64_t length, ThreadPool& pool);
  ~Evaluator();

  /// Over at most `max_rows` rows, evenly spread. Throws Error when they have no targets.
  double loss(const RowSource& data, int64_t max_rows);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
