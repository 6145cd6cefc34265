#pragma once

#include <tinyllm/tensor/program.h>
#include <tinyllm/train/objective.h>

namespace tinyllm {

/// Appends the loss of a batch of this shape, [rows, length], to a graph. The inputs have the names of the fields of
/// Batch.
Tensor batch_loss(Graph& graph, const ModelConfig& config, const Recipe& recipe, const Objective& objective,
                  Shape shape, const Dropout& dropout = {}, PackedInput packed_input = PackedInput::quantized,
                  std::vector<Tensor>* residuals = nullptr);

/// Copies a batch to the inputs of a program that `batch_loss` is part of.
void write_batch(Program& program, const Batch& batch);

/// Splits a batch into this many batches with equally many rows.
std::vector<Batch> divided(const Batch& batch, int64_t parts);

}  // namespace tinyllm
