#pragma once

#include <tinyllm/tensor/types.h>

#include "measure.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <functional>
#include <span>
#include <string>

// What all benchmark programs share: options, tables, JSON.
namespace tinyllm::bench {

using Json = nlohmann::ordered_json;

/// A column of a table: the value `key` of every row, times `scale`.
struct Column {
  const char* key;
  const char* heading;
  int digits = 0;  ///< After the point, of numbers.
  double scale = 1;
};

/// Collects the results of a program, and prints them while running, or as JSON at the end.
class Report {
 public:
  /// Prints a line of text, which is not part of the JSON.
  void line(const std::string& text) const;
  /// Prints the peaks of a machine and stores them under "peaks".
  void peaks(const Peaks& peaks, int threads);
  /// Prints rows, which are objects. A row that lacks the key of a column shows nothing there.
  void print(const Json& rows, std::span<const Column> columns) const;
  /// Prints rows and adds them to the array `key` of the JSON.
  void table(const std::string& key, const Json& rows, std::span<const Column> columns);
  /// Adds a value to the JSON that no table shows.
  void set(const std::string& key, Json value) { all_[key] = std::move(value); }

 private:
  friend int run_program(CLI::App& app, int argc, char** argv, const std::function<void(Report&)>& body);
  Json all_;
  std::string file_;
  bool is_quiet_ = false;
};

/// The option `--precision`, of matrix products.
void add_precision(CLI::App& app, Precision& precision);

/// The `main` of a benchmark: parses the options of `app` and `--json [FILE]`, runs `body`, writes what it reported.
/// Returns 0, 1 after an error, 2 for wrong options.
int run_program(CLI::App& app, int argc, char** argv, const std::function<void(Report&)>& body);

}  // namespace tinyllm::bench
