#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/train/data/row_source.h>
#include <tinyllm/train/objectives/next_token.h>

#include <cmath>
#include <memory>
#include <numbers>

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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tinyllm
