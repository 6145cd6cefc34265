#pragma once

#include <tinyllm/model/model.h>

#include "parse.h"

#include <string>

namespace tinyllm::cli {

/// `--type`: the type that weights are converted to while they are read.
void add_weight_type(CLI::App& app, std::optional<Type>& type);
/// `--type` and `--context`: how a program reads its model.
void add_load_options(CLI::App& app, LoadOptions& o);

/// Shows the progress of reading models, on a terminal alone.
OnProgress show_reading();

/// Reads a model on these threads, and prints what a user should know of it to standard error.
Model load(const std::string& path, const LoadOptions& o, const ThreadPool& pool);

/// "12.3 MB, of 45.6 MB before": the weights on disk, in folders or GGUF files. Without the second half if a model has
/// none of its own, as adapters.
std::string sizes(const std::filesystem::path& before, const std::filesystem::path& after);

}  // namespace tinyllm::cli
