#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/program.h>
#include <tinyllm/train/row_source.h>

#include <map>

namespace tinyllm {

/// How a stretch of training goes.
struct Recipe {
  int64_t rows = 8;        ///< That are computed at once.
  int64_t length = 256;    ///< Tokens of a row.
  int64_t accumulate = 1;  ///< Times `rows` in a batch: their gradients add up, and memory is that of one time.
  int64_t steps = 1000;
  float rate = 3e-4f;       ///< The highest learning rate.
  float final_rate = 0.1f;  ///< The last one, as a part of the highest.
  int64_t warmup = 100;     ///< Steps in which the rate rises from 0.
  float clip = 1.0f;        ///< Largest global norm of the gradient.
  float beta2 = 0.99f;      ///< Of AdamW.
  float decay = 0.1f;       ///< Of matrices; norms and biases have none.
  uint64_t seed = 1;        ///< Of the order of the data and of dropout.
  /// Keep only what enters each block, and compute the rest again in the backward pass: less memory, more time, the
  /// same bits.
  bool recompute = false;
  Precision precision = Precision::fp32;  ///< Of matrix products; weights and all sums are float.

  int64_t batch_rows() const { return rows * accumulate; }
};

/// The learning rate of a step counted from 0: linear warm-up, then half a cosine down to the final rate.
float rate_at(const Recipe& recipe, int64_t step);

/// Training steps over a model: forward, backward, clipping and AdamW as one program; with accumulation as two, of
/// which the first runs for each part of the batch.
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
  };
  /// Takes the next step with a batch of `recipe.batch_rows()` rows. Throws Error for another number of rows, where the
  /// CPU lacks the recipe's precision, and when loss or gradient is not finite: the weights are spoilt then, and what
  /// was saved last is what counts.
  Step step(const Batch& batch);
  int64_t steps_done() const;

  /// What a step computes; with accumulation, what each part of it computes.
  const Graph& graph() const;
  /// Of all programs of a step, in bytes; what they share counts once.
  Memory memory() const;
  /// Takes the next step as `step` does, and says what each op did in it, in no order.
  std::vector<OpTime> profile(const Batch& batch);

  /// Everything that the next step depends on, in one file: weights, moments, the number of steps. `notes` are kept
  /// with it and given back.
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
