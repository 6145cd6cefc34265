#pragma once

#include "options.h"
#include "program.h"

#include <string>
#include <vector>

namespace tinyllm::cli {

/// Parses the command line of a program. Call it within `run_main`. Throws UsageError with all problems, one per line,
/// and Exit after `--help` and `--version`. Unknown options, unknown keys in a `--config` file and options given twice
/// are problems too.
void parse(CLI::App& app, int argc, const char* const* argv);

/// Ends the help with examples and the next program to run. All are command lines without the leading `tinyllm`.
void add_examples(CLI::App& app, const std::vector<std::string>& examples, const std::string& next);

}  // namespace tinyllm::cli
