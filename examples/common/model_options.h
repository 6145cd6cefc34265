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

/// Reads a model, and prints what a user should know of it to standard error.
Model load(const std::string& path, const LoadOptions& o);

/// The size of a model's weights on disk, in a folder or a GGUF file.
double weight_megabytes(const std::filesystem::path& path);

}  // namespace tinyllm::cli
