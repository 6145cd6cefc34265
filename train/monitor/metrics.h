#pragma once

#include <filesystem>
#include <functional>
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

/// A log of JSON lines, each an object with the field "step" first. When `add` returns, the operating system has the
/// line, so it survives if the process dies.
class MetricsLog {
 public:
  /// Opens the log of a run that continues after `step`: lines of later steps, which the run will write again, and a
  /// last line that was cut off are removed. So are lines that are not metrics (not JSON, or with a step that is not a
  /// number); `on_event` receives a message with their number. Without a step the log starts empty. Throws Error when
  /// it cannot be read or written.
  MetricsLog(const std::filesystem::path& path, std::optional<int64_t> step,
             const std::function<void(const std::string&)>& on_event = {});
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Writes a line of step 0 with "run", an object. Throws Error when it cannot be written, as the others do.
  void describe(const std::vector<std::pair<std::string, std::string>>& run);
  /// Writes a line of step 0 with "mix", a list of objects.
  void describe(const std::vector<DataPart>& mix);
  void add(int64_t step, const std::vector<Metric>& fields);

  /// Returns when all lines are on disk. Call it before a checkpoint gets its name, so that no checkpoint is newer than
  /// the log.
  void sync();

 private:
  void write(std::string line);

  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace tinyllm
