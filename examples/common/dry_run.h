#pragma once

#include <tinyllm/train/run.h>

namespace tinyllm::cli {

/// Throws Error when training does not fit the memory that is available.
void check_memory(const Model& model, const std::vector<Stage>& stages, int threads);

/// Prints what a run would need: parameters, memory, steps, tokens and time. The time is measured with a few real steps
/// if there is enough memory, else estimated from the peak of this machine; the output says which. Writes no files.
/// Returns 0.
int dry_run(Model& model, const std::vector<Stage>& stages, ThreadPool& pool);

}  // namespace tinyllm::cli
