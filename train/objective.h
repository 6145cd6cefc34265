#pragma once

#include <tinyllm/model/transformer.h>
#include <tinyllm/train/data/row_source.h>
#include <tinyllm/train/recipe.h>

#include <functional>

namespace tinyllm {

/// What a loss is made of. Tensors are i32 [rows, length], see Batch.
struct LossInputs {
  Graph& graph;
  const ModelConfig& config;
  const Recipe& recipe;
  TransformerInputs inputs;
  Tensor targets;
};

/// What a model is trained for. The loss is a mean over units of the batch (targets, pairs, sequences), and the weight
/// is the number of units. Batches are combined by their weights, so that several small ones, or those of several
/// processes, train what one large batch trains. A unit of several rows needs a recipe without `first_seq_len`, which
/// cuts rows.
struct Objective {
  /// Appends the loss of a batch, f32 [1], to a graph. Every input that it asks the graph for is in `Batch::more`.
  std::function<Tensor(const LossInputs&)> loss;
  /// The units in a batch; 0 where there is nothing to learn. That of a batch is the sum over its rows.
  std::function<double(const Batch&)> weight;
};

}  // namespace tinyllm
