#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/program.h>
#include <tinyllm/train/objectives/next_token.h>

#include <cmath>
#include <functional>
#include <map>

namespace tinyllm {

/// Floating-point operations of a step: forward and backward take 6 for each weight of a matrix product and token. With
/// adapters they are 4, as the matrices need no gradients; what adapters add is left out. Attention multiplies [T, T]
/// by [T, D] twice forward and, counted as three times that with the backward pass, half of it is masked away: 6 T C
/// for each token and layer. Norms, activations and the optimiser are not counted, nor what is computed twice.
double step_flops(const ModelConfig& config, int64_t rows, int64_t length);

/// What a step has computed when its backward passes are done. A function between them and the update may read all of
/// it, and may change it: to train on several processes, each multiplies `values` and `loss` by its `weight`, all three
/// are summed over the processes, and the first two are divided by the sum of the weights.
struct StepGradients {
  std::span<float> values;  ///< d loss / d weights, in the order of `trained_specs`: one block, aligned by zeros.
  double loss;
  double weight;  ///< Of the batch, as its objective counts it. The update is left out where this is 0.
};

struct TrainerOptions {
  Objective objective = next_token();
  /// Not empty: called in each step, between the backward pass and the update, which are then programs of their own.
  std::function<void(StepGradients&)> on_gradients = {};
};

/// What a Trainer on this number of threads takes for a step with rows of full length, in bytes: planned, and nothing
/// is reserved. Throws Error as `check` does.
Memory training_memory(const ModelConfig& config, const Recipe& recipe, int threads,
                       const TrainerOptions& options = {});

/// Training steps over a model: forward, backward, clipping and the optimiser. They are one program, in which gradients
/// use the memory of activations. With accumulation or `on_gradients` they are two: the first runs for each part of the
/// batch and adds up gradients, the second applies them. Where the recipe lengthens its rows, programs are made anew at
/// that step.
class Trainer {
 public:
  /// `model` must outlive the trainer, which keeps a copy of the pool. Throws Error when the recipe's rows, length or
  /// accumulation cannot be, or its rows are longer than the model's context.
  Trainer(Model& model, const Recipe& recipe, const ThreadPool& pool, TrainerOptions options = {});
  ~Trainer();

  struct Step {
    float loss;       ///< Mean over the batch, before the update.
    float grad_norm;  ///< Before clipping.
    float learning_rate;
    double weight;  ///< Of the batch, as the objective counts it: learned targets.

    bool is_finite() const { return std::isfinite(loss) && std::isfinite(grad_norm); }
    /// A step leaves weights and moments as they were when nothing was to be learned or its gradient is not finite.
    bool was_taken() const { return weight > 0 && std::isfinite(grad_norm); }
  };
  /// Takes the next step with a batch of `recipe.batch_rows()` rows of `recipe.seq_len`, which it cuts where the step's
  /// rows are shorter. Throws Error for a batch of another size, and where the CPU lacks the recipe's precision.
  Step step(const Batch& batch);
  int64_t steps_done() const;

  /// What the last step computed, or the first will; with accumulation, what each part of it does.
  const Graph& graph() const;
  /// Of all programs of a step, in bytes; what they share counts once.
  Memory memory() const;
  /// Takes the next step as `step` does, and says what each op did in it, in no order.
  std::vector<OpTime> profile(const Batch& batch);

  /// Copies the moving average of the weights, if the recipe has one; at least one step must be done.
  void copy_ema(Store& weights) const;

  /// Everything that the next step depends on, in one file: weights (of a model with adapters, these alone), moments,
  /// the number of steps under kStepNote. `notes` are kept with it and given back.
  static constexpr const char* kStepNote = "step";
  void save(const std::filesystem::path& path, std::map<std::string, std::string> notes) const;
  /// Throws Error when the file is of another model, or says that more steps were taken than can be.
  void restore(const class Safetensors& checkpoint);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
