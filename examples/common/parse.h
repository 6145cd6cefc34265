#pragma once

#include <CLI/CLI.hpp>

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace tinyllm::cli {

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

/// An option that takes one of several names, each of which means a value.
template <class Value, class Choice = Value>
CLI::Option* add_choice(CLI::App& app, const std::string& option, Value& value,
                        const std::vector<std::pair<std::string, Choice>>& choices, const std::string& description) {
  std::vector<std::string> names;
  std::string initial;
  for (const auto& [name, choice] : choices) {
    names.push_back(name);
    if (value == choice) initial = name;
  }
  const auto choose = [&value, choices](const std::string& given) {
    for (const auto& [name, choice] : choices) {
      if (name == given) value = choice;
    }
  };
  return app.add_option_function<std::string>(option, choose, description)
      ->check(CLI::IsMember(names))
      ->default_str(initial);
}

}  // namespace tinyllm::cli
