#pragma once

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace tinyllm {

/// Reads the command line of a program; ends it where there is nothing to do, with 0, or where the line is wrong, with
/// 2.
inline void parse(CLI::App& app, int argc, char** argv) {
  app.set_version_flag("--version", TINYLLM_VERSION);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
}

}  // namespace tinyllm
