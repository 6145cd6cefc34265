#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/program.h>
#include <tinyllm/train/objectives/next_token.h>

#include <cmath>
#include <functional>
#include <map>

namespace tinyllm {

/// The floating-point operations of a step. Each weight of a matrix product takes 6 per token in the forward and
/// backward pass, or 4 with adapters, because the matrices then need no gradients. Attention takes 6 T C per token and
/// layer: two products of [T, T] and [T, D] per head, three times that with the backward pass, half of it masked. Not
/// counted: norms, activations, the optimizer, the products of adapters, and what is recomputed.
double step_flops(const ModelConfig& config, int64_t rows, int64_t length);

/// The result of the backward passes of a step. `TrainerOptions::on_gradients` may read and change it before the
/// update. For training on several processes, each process multiplies `values` and `loss` by its `weight`; then all
/// three are summed over the processes, and the first two are divided by the sum of the weights.
struct StepGradients {
  std::span<float>
      values;  ///< d loss / d weights, in the order of `trained_specs`: one block, with zeros for alignment.
  double loss;
  double weight;  ///< The weight of the batch by its objective. If it is 0, the update is left out.
};

struct TrainerOptions {
  Objective objective = next_token();
  /// If set, it is called in each step between the backward pass and the update. These two are then separate programs.
  std::function<void(StepGradients&)> on_gradients = {};
};

/// The memory, in bytes, that a Trainer with this many threads needs for a step with rows of full length. It is only
/// planned, not allocated. Throws Error as `check` does.
Memory training_memory(const ModelConfig& config, const Recipe& recipe, int threads,
                       const TrainerOptions& options = {});

/// Takes training steps: forward pass, backward pass, clipping and the optimizer. A step is one program, in which
/// gradients share the memory of activations. With accumulation or `on_gradients` it is two: the first runs once per
/// part of the batch and adds up gradients, the second applies them. Programs are compiled again at the step where the
/// recipe lengthens its rows.
class Trainer {
 public:
  /// `model` must outlive the trainer, which keeps a copy of the pool. Throws Error if the recipe is invalid, or if its
  /// rows are longer than the model's context.
  Trainer(Model& model, const Recipe& recipe, const ThreadPool& pool, TrainerOptions options = {});
  ~Trainer();

  struct Step {
    float loss;       ///< Mean over the batch, before the update.
    float grad_norm;  ///< Before clipping.
    float learning_rate;
    double weight;  ///< The weight of the batch by its objective; for `next_token`, the number of learned targets.

    bool is_finite() const { return std::isfinite(loss) && std::isfinite(grad_norm); }
    /// False if the step had nothing to learn or its gradient is not finite. Weights and moments are then unchanged.
    bool was_taken() const { return weight > 0 && std::isfinite(grad_norm); }
  };
  /// Takes the next step with a batch of `recipe.batch_rows()` rows of `recipe.seq_len` tokens. It cuts these rows if
  /// the step uses shorter ones. Throws Error for a batch of another size, or if the CPU does not support the recipe's
  /// precision.
  Step step(const Batch& batch);
  int64_t steps_done() const;

  /// The graph of the last step, or of the first if none was taken. With accumulation, the graph of one part.
  const Graph& graph() const;
  /// The memory of all programs of a step, in bytes. What they share counts once.
  Memory memory() const;
  /// Takes the next step as `step` does, and returns the time of each op, unordered.
  std::vector<OpTime> profile(const Batch& batch);

  /// Copies the moving average of the weights, if the recipe has one; at least one step must be done.
  void copy_ema(Store& weights) const;

  /// Writes a checkpoint with everything that the next step depends on: weights (only the adapters, if the model has
  /// any), moments, and the number of steps as the note kStepNote. `notes` are written too.
  static constexpr const char* kStepNote = "step";
  void save(const std::filesystem::path& path, std::map<std::string, std::string> notes) const;
  /// Restores what `save` wrote. Throws Error if the checkpoint is of another model, or if its number of steps is too
  /// large.
  void restore(const class Safetensors& checkpoint);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
