#pragma once

#include <tinyllm/model/model.h>

#include "parse.h"

#include <string>

namespace tinyllm::cli {

/// `--type` and `--context`: how a program reads its model.
void add_load_options(CLI::App& app, LoadOptions& o);

/// Reads a model, and prints what a user should know of it to standard error.
Model load(const std::string& path, const LoadOptions& o);

/// The size of a model's weights on disk, in a folder or a GGUF file.
double weight_megabytes(const std::filesystem::path& path);

}  // namespace tinyllm::cli
