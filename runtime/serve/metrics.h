#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Counts of values in ranges, for any number of threads.
class Histogram {
 public:
  /// `bounds` ascend; the last bucket has no upper one.
  explicit Histogram(std::vector<double> bounds);
  void add(double value);
  /// The lines of this histogram; `labels` as `a="b"`, perhaps empty.
  void append(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::vector<double> bounds_;
  mutable std::mutex mutex_;
  std::vector<uint64_t> counts_;
  double sum_ = 0;
  uint64_t count_ = 0;
};

/// What is counted for each model. Names are those of vLLM, so that its dashboards work.
struct ModelMetrics {
  std::atomic<uint64_t> prompt_tokens{0}, generation_tokens{0}, prefix_queries{0}, prefix_hits{0};
  std::atomic<uint64_t> ended[5] = {};  ///< By AnswerEnd::Reason.
  Histogram first_token, inter_token, whole, queue, prefill, decode;
  Histogram prompt_sizes, answer_sizes, pass_tokens, pass_sequences, pass_seconds, mask_seconds;
  ModelMetrics();
};

/// A gauge that is asked for when the page is written.
struct ModelGauges {
  std::string name;
  int64_t running = 0, waiting = 0;
  double cache_use = 0;
  const ModelMetrics* metrics = nullptr;
};

/// Counters by labels: a closed set of labels, never text of a client.
class LabelledCounter {
 public:
  void add(const std::string& labels);
  void append(std::string& out, std::string_view name) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, uint64_t> counts_;
};

struct ServerMetrics {
  LabelledCounter requests;  ///< handler, method, status
  LabelledCounter refused;   ///< code
  std::atomic<int64_t> open_requests{0};
  std::atomic<size_t> connections{0};
  std::atomic<uint64_t> log_lines_dropped{0};
};

/// All of them in the text format 0.0.4 of Prometheus.
std::string metrics_page(const std::vector<ModelGauges>& models, const ServerMetrics& server,
                         std::string_view fingerprint);

}  // namespace tinyllm
