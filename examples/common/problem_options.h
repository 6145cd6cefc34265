#pragma once

#include <tinyllm/train/problems/problem.h>

#include "parse.h"

namespace tinyllm::cli {

/// Which made-up problems a program uses.
struct ProblemOptions {
  std::vector<std::string> levels = {"1"};
  std::vector<std::string> kinds = {};  ///< None: all.
  std::vector<std::string> languages = {"chinese", "english"};
};

/// Adds --level, --kinds and --language. Returns them.
std::vector<CLI::Option*> add_problem_options(CLI::App& app, ProblemOptions& options);

/// All combinations that have problems for the split. Throws UsageError if there are none.
std::vector<problems::Wanted> wanted_by(const ProblemOptions& options, problems::Split split);

}  // namespace tinyllm::cli
