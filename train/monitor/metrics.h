#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tinyllm {

/// One field of a line: numbers keep every digit, so that two logs can be compared to the last bit.
using Metric = std::pair<std::string_view, std::variant<int64_t, double, float, bool, std::string>>;

/// A part of the data that a run learns from.
struct DataPart {
  std::string name;
  double weight;
  double share;  ///< Of the rows, 0 to 1.
  int64_t samples;
  int64_t tokens;
};

/// A log of JSON lines, each an object with the field "step" first. Lines are flushed as they are written.
class MetricsLog {
 public:
  /// Opens the log of a run that goes on after `step`: lines of later steps, which the run will write again, and a line
  /// that was cut off, are removed. Without a step the log begins anew. Throws Error when it cannot be read or written.
  MetricsLog(const std::filesystem::path& path, std::optional<int64_t> step);

  /// Throws Error when the line cannot be written, as `add` does. The line has step 0 and "run", an object.
  void describe(const std::vector<std::pair<std::string, std::string>>& run);
  /// The same with "mix", a list of objects.
  void describe(const std::vector<DataPart>& mix);
  void add(int64_t step, const std::vector<Metric>& fields);

 private:
  void write(const std::string& line);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace tinyllm
