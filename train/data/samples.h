#pragma once

#include <tinyllm/train/data/sample_forms.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

namespace tinyllm {

struct SampleOptions {
  /// Called with the number of a bad line, from 1, and what is wrong with it; the line is skipped. Without it, a bad
  /// line is an Error.
  std::function<void(int64_t line, const std::string& problem)> on_bad;
  size_t max_line = size_t{4} << 20;  ///< Bytes. A longer line is bad; only this much of it is kept in memory.
};

struct SampleCounts {
  std::optional<SampleForm> form;  ///< That of the first good line.
  int64_t lines = 0;               ///< All of them.
  int64_t samples = 0;
  int64_t bad = 0;
  int64_t bytes = 0;  ///< Read so far.
  /// The ignored fields of good samples, each with the number of samples that have it. Only the first
  /// hundred names are counted.
  std::map<std::string, int64_t> ignored;
};

/// "license (12 samples), source (12 samples)": the fields that were ignored, for people; empty when there are none.
std::string ignored_fields(const SampleCounts& counts);

/// Reads the samples of a file of JSON lines one after the other, without holding the whole file in memory. A line ends
/// with LF, CR or both. Blank lines and a byte order mark are skipped.
class SampleReader {
 public:
  /// Throws Error when the file cannot be opened.
  explicit SampleReader(std::filesystem::path path, SampleOptions options = {});

  /// The next sample; nullopt at the end. Throws Error when the file cannot be read, and for a bad line as the options
  /// say.
  std::optional<AnySample> next();
  const SampleCounts& counts() const { return counts_; }

 private:
  bool read_line();
  std::optional<AnySample> parse_line();

  std::filesystem::path path_;
  SampleOptions options_;
  std::ifstream file_;
  std::string line_;
  size_t line_size_ = 0;  // The size of line_, or more when it was cut.
  SampleCounts counts_;
};

/// All samples of a file, as Messages, Preference or Choice. `counts` is set when it is not null. Throws Error when
/// there are no samples, or when they are of another kind.
template <class T>
std::vector<T> read_samples(const std::filesystem::path& path, const SampleOptions& options = {},
                            SampleCounts* counts = nullptr);

}  // namespace tinyllm
