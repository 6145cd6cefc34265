#pragma once

#include <tinyllm/tensor/program.h>
#include <tinyllm/train/trainer.h>

namespace tinyllm {

/// Appends the loss of a batch of this shape, [rows, length], to a graph. The inputs have the names of the fields of
/// Batch.
Tensor batch_loss(Graph& graph, const ModelConfig& config, const Recipe& recipe, const LossFn& loss, Shape shape,
                  const Dropout& dropout = {}, std::vector<Tensor>* residuals = nullptr);

/// Copies rows [first, first + rows) of a batch to the inputs of a program that `batch_loss` is part of.
void write_rows(Program& program, const Batch& batch, int64_t first, int64_t rows);

/// How many targets are not kIgnore.
int64_t count_learned(std::span<const int32_t> targets);

}  // namespace tinyllm
