#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/train/data/row_source.h>
#include <tinyllm/train/objectives/next_token.h>

#include <cmath>
#include <memory>
#include <numbers>
#include <vector>

namespace tinyllm {

/// How well a model predicts the next tokens of some text, or meets another objective.
struct Evaluation {
  double loss;      ///< Mean over the targets, in nats, or over the units of the objective.
  int64_t targets;  ///< Tokens.
  int64_t bytes;    ///< The size of their text.

  double perplexity() const { return std::exp(loss); }
  /// Comparable across vocabularies. Infinite if the targets have no text.
  double bits_per_byte() const {
    return loss * static_cast<double>(targets) / (static_cast<double>(bytes) * std::numbers::ln2);
  }
};

/// Evaluates a model over the learned targets of some rows, without dropout and in fp32. Packed weights meet rounded
/// hidden states, as in answers.
class Evaluator {
 public:
  /// `model` must outlive the evaluator, which keeps a copy of the pool.
  Evaluator(const Model& model, int64_t rows, int64_t length, const ThreadPool& pool,
            Objective objective = next_token());
  ~Evaluator();

  /// Evaluates at most `max_rows` rows, evenly spread over `data`. Throws Error if they have no targets.
  Evaluation evaluate(const RowSource& data, int64_t max_rows);
  /// The same batch by batch: the first row of each, and one of them, whose loss is 0 if it has no targets.
  std::vector<int64_t> batches_of(const RowSource& data, int64_t max_rows) const;
  Evaluation evaluate_batch(const RowSource& data, int64_t first);

 private:
  struct State;
  Evaluation evaluate(const Batch& batch);

  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
