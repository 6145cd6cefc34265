#pragma once

#include <tinyllm/model/transformer.h>
#include <tinyllm/train/data/row_source.h>
#include <tinyllm/train/recipe.h>

#include <functional>
#include <string>

namespace tinyllm {

/// The inputs of a loss. Tensors are i32 [rows, length], see Batch.
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
  /// Appends the loss of a batch, f32 [1], to a graph. Further inputs of the graph get their values from `Batch::more`.
  std::function<Tensor(const LossInputs&)> loss;
  /// The number of units in a batch: the sum over its rows. 0 if there is nothing to learn.
  std::function<double(const Batch&)> weight;
  /// Of the settings that a run which goes on is compared by; empty: next tokens.
  std::string name = {};
};

}  // namespace tinyllm
