#pragma once

#include <tinyllm/tensor/base/names.h>
#include <tinyllm/tensor/base/range.h>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace tinyllm::cli {

/// The entry that a misspelt word probably stands for; empty if none is similar.
std::string closest(const std::string& word, const std::vector<std::string>& known);

/// `; did you mean x?`, or nothing.
std::string suggestion(const std::string& word, const std::vector<std::string>& known);

/// Checks that a word is a known one. Returns the problem; empty if there is none.
std::string problem_with_choice(const std::string& word, const std::vector<std::string>& known);

/// Parses a number into `value`. Returns the problem; empty if there is none.
template <class Number>
std::string read_number(const std::string& text, Range range, Number& value) {
  if constexpr (std::is_unsigned_v<Number>) range.low = std::max(range.low, 0.0);
  const char* end = text.data() + text.size();
  Number number{};
  const auto [at, error] = std::from_chars(text.data(), end, number);
  const std::string expected = description_of(range, std::is_integral_v<Number>);
  if (error == std::errc::result_out_of_range && at == end) {
    return fmt::format("{} is too large or too small to compute with, expected {}", text, expected);
  }
  if (error != std::errc() || at != end || !range.contains(static_cast<double>(number))) {
    return fmt::format("{}, expected {}", text.empty() ? "\"\"" : text, expected);
  }
  value = number;
  return "";
}

/// Adds an option that takes a number in this range. The default is the current `value`.
template <class Number>
CLI::Option* add_number(CLI::App& app, const std::string& names, Number& value, Range range,
                        const std::string& description) {
  const auto check = [range](const std::string& text) {
    Number number{};
    return read_number(text, range, number);
  };
  const auto set = [range, &value](const std::string& text) { read_number(text, range, value); };
  return app.add_option_function<std::string>(names, set, description)
      ->check(check)
      ->type_name(std::is_integral_v<Number> ? "N" : "X")
      ->default_str(fmt::format("{}", value));
}

/// Adds an option that takes one of several names, each with its value.
template <class Value, class Choice = Value>
CLI::Option* add_choice(CLI::App& app, const std::string& names, Value& value,
                        const std::vector<std::pair<std::string, Choice>>& choices, const std::string& description) {
  std::vector<std::string> known;
  std::string initial;
  for (const auto& [name, choice] : choices) {
    known.push_back(name);
    if (value == choice) initial = name;
  }
  const auto set = [&value, choices](const std::string& given) {
    for (const auto& [name, choice] : choices) {
      if (name == given) value = choice;
    }
  };
  return app.add_option_function<std::string>(names, set, description)
      ->check([known](const std::string& given) { return problem_with_choice(given, known); })
      ->type_name(fmt::format("{{{}}}", fmt::join(known, ",")))
      ->default_str(initial);
}

/// The same for all enumerators of an enum, by name.
template <Named E>
CLI::Option* add_choice(CLI::App& app, const std::string& names, E& value, const std::string& description) {
  std::vector<std::pair<std::string, E>> choices;
  for (const E each : all_of<E>()) choices.emplace_back(name_of(each), each);
  return add_choice(app, names, value, choices, description);
}

/// Adds `--threads`. The default is the current `value`, usually `hardware_threads()`.
CLI::Option* add_threads(CLI::App& app, int& value);

/// The model that a program works on, a folder or a GGUF file: a positional argument or `--model`.
CLI::Option* add_model(CLI::App& app, std::string& folder, const std::string& description);

}  // namespace tinyllm::cli
