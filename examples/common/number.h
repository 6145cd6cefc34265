#pragma once

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <string>

namespace tinyllm::cli {

/// Accepts numbers from `min` to `max`, which `expected` says in words. NaN is never accepted.
inline CLI::Validator between(double min, double max, const std::string& expected) {
  const auto check = [=](std::string& given) -> std::string {
    double number = 0;
    const bool is_number = CLI::detail::lexical_cast(given, number);
    return is_number && number >= min && number <= max ? "" : fmt::format("{}, expected {}", given, expected);
  };
  return CLI::Validator(check, "");
}

/// Accepts seeds. CLI11 alone would wrap a negative number, and clamp a larger one.
inline CLI::Validator seed_number() { return between(0, 9e18, "0 to 9e18"); }

}  // namespace tinyllm::cli
