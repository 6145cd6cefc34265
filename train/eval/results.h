#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tinyllm::eval {

/// What a model scored at one question, or on one batch of a text.
struct Result {
  size_t set = 0;       ///< Index of the set.
  size_t question = 0;  ///< Index in the set.
  std::string kind = {};
  double chance = 0;  ///< What guessing would score; 0 if it cannot be said.
  std::map<std::string, double> scores = {};
  std::string detail = "{}";  ///< A JSON object: what the scores come from.
};

/// What a run evaluates.
struct SetInfo {
  std::string name;
  std::string task;   ///< "answer", "choice" or "text".
  int64_t questions;  ///< Or batches.
  uint64_t hash;
  int64_t seen = 0;  ///< Questions that the model was trained on.
};

/// Everything that decides the results of a run, and the name of its model, which does not.
struct RunInfo {
  std::string model = {};
  std::vector<std::pair<std::string, std::string>> settings = {};
  std::vector<SetInfo> sets = {};
};

/// A run and its results, by set and question.
struct Run {
  RunInfo info;
  std::vector<Result> results;
};

/// The file in an output folder that has the results: a line of JSON about the run, then one for each question.
inline constexpr const char* kResultsFile = "results.jsonl";

/// Writes results as they come. Each line is handed to the operating system at once, so it survives if the process is
/// killed; a last line that was cut off is dropped by the next run.
class ResultsLog {
 public:
  /// Continues the file if it is of the same run. Throws Error if it is of another one, naming what differs, or
  /// damaged. Without a folder nothing is written.
  ResultsLog(const std::filesystem::path& folder, RunInfo info);

  const RunInfo& info() const { return run_.info; }
  const std::vector<Result>& results() const { return run_.results; }
  bool has(size_t set, size_t question) const;
  void add(Result result);
  /// The run with its results in the order of the questions.
  Run finished() const;

 private:
  std::filesystem::path path_;
  Run run_;
  std::vector<std::vector<bool>> done_;  // By set and question.
};

/// Reads the results in a folder. Throws Error that names the file and the line if they are missing or damaged, or have
/// more than 1000 sets or 1000 scores.
Run read_run(const std::filesystem::path& folder);
/// The same from the text of such a file. Its last line may be cut off; `whole`, if not null, becomes the number of
/// bytes of the lines before it.
Run parse_run(std::string_view text, std::string_view what, size_t* whole = nullptr);

}  // namespace tinyllm::eval
