#pragma once

#include <tinyllm/train/run.h>

namespace tinyllm::cli {

/// Throws Error when training does not fit the memory that is available.
void check_memory(const Model& model, const std::vector<Stage>& stages, int threads);

/// Prints what a run would take: parameters, memory, steps, tokens and time, and what the time was found from: a few
/// real steps where the memory is there for them, else the peak of this machine. Writes nothing. Returns 0.
int dry_run(Model& model, const std::vector<Stage>& stages, ThreadPool& pool);

}  // namespace tinyllm::cli
