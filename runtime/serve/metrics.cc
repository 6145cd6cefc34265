#include <tinyllm/runtime/serve/metrics.h>

#include <tinyllm/runtime/serve/job.h>
#include <tinyllm/tensor/base/names.h>

#include <fmt/format.h>

#include <dirent.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace tinyllm {
namespace {

const std::vector<double> kSeconds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
                                      0.5,   1,      2.5,   5,    10,    30,   60,  300};
const std::vector<double> kTokens = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768};

void begin(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP tinyllm:{0} {1}\n# TYPE tinyllm:{0} {2}\n", name, help, type);
}

// Resident bytes of this process.
int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t all = 0, resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

int64_t open_files() {
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  int64_t count = -3;  // Itself, `.` and `..`.
  while (readdir(folder) != nullptr) ++count;
  closedir(folder);
  return count;
}

std::string label_of(const ModelGauges& model) {
  std::string name;
  for (const char c : model.name)
    name += c == '\n' ? "\\n" : c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return fmt::format("model_name=\"{}\"", name);
}

void append_gauges(std::string& out, const std::vector<ModelGauges>& models) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    begin(out, name, "gauge", help);
    for (const ModelGauges& m : models) out += fmt::format("tinyllm:{}{{{}}} {}\n", name, label_of(m), value(m));
  };
  each("num_requests_running", "Answers that are being computed.", [](const auto& m) { return m.running; });
  each("num_requests_waiting", "Requests that wait for a place.", [](const auto& m) { return m.waiting; });
  each("kv_cache_usage_perc", "Share of the cache that is in use or kept, 0 to 1.",
       [](const auto& m) { return m.cache_use; });
}

void append_counters(std::string& out, const std::vector<ModelGauges>& models) {
  const auto each = [&](std::string_view name, std::string_view help, auto value) {
    begin(out, name, "counter", help);
    for (const ModelGauges& m : models) {
      out += fmt::format("tinyllm:{}{{{}}} {}\n", name, label_of(m), value(*m.metrics));
    }
  };
  each("prompt_tokens_total", "Tokens of prompts.", [](const auto& m) { return m.prompt_tokens.load(); });
  each("generation_tokens_total", "Tokens drawn.", [](const auto& m) { return m.generation_tokens.load(); });
  each("prefix_cache_queries_total", "Tokens looked for in kept prefixes.",
       [](const auto& m) { return m.prefix_queries.load(); });
  each("prefix_cache_hits_total", "Tokens found there.", [](const auto& m) { return m.prefix_hits.load(); });
  begin(out, "request_success_total", "counter", "Answers that ended, by reason.");
  for (const ModelGauges& m : models) {
    for (const auto reason : all_of<AnswerEnd::Reason>()) {
      out += fmt::format("tinyllm:request_success_total{{{},finished_reason=\"{}\"}} {}\n", label_of(m),
                         name_of(reason), m.metrics->ended[static_cast<size_t>(reason)].load());
    }
  }
}

void append_histograms(std::string& out, const std::vector<ModelGauges>& models) {
  const auto each = [&](std::string_view name, std::string_view help, const Histogram ModelMetrics::*member) {
    begin(out, name, "histogram", help);
    for (const ModelGauges& m : models) (m.metrics->*member).append(out, name, label_of(m));
  };
  using M = ModelMetrics;
  each("time_to_first_token_seconds", "From the request to its first token.", &M::first_token);
  each("inter_token_latency_seconds", "Mean time between two tokens of an answer.", &M::inter_token);
  each("e2e_request_latency_seconds", "From the request to the end of its answer.", &M::whole);
  each("request_queue_time_seconds", "Time in the queue.", &M::queue);
  each("request_prefill_time_seconds", "From leaving the queue to the first token.", &M::prefill);
  each("request_decode_time_seconds", "From the first token to the last.", &M::decode);
  each("request_prompt_tokens", "Tokens of a prompt.", &M::prompt_sizes);
  each("request_generation_tokens", "Tokens of an answer.", &M::answer_sizes);
  each("iteration_tokens_total", "Tokens of a pass.", &M::pass_tokens);
  each("batch_sequences", "Sequences that run during a pass.", &M::pass_sequences);
  each("pass_seconds", "Time of a pass.", &M::pass_seconds);
  each("grammar_mask_seconds", "Time to find which tokens a form allows next.", &M::mask_seconds);
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}

void Histogram::add(double value) {
  const std::lock_guard lock(mutex_);
  ++counts_[static_cast<size_t>(std::ranges::lower_bound(bounds_, value) - bounds_.begin())];
  sum_ += value;
  ++count_;
}

void Histogram::append(std::string& out, std::string_view name, std::string_view labels) const {
  const std::lock_guard lock(mutex_);
  uint64_t cumulative = 0;
  for (size_t i = 0; i < counts_.size(); ++i) {
    cumulative += counts_[i];
    const std::string bound = i < bounds_.size() ? fmt::format("{}", bounds_[i]) : "+Inf";
    out += fmt::format("tinyllm:{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, bound, cumulative);
  }
  out += fmt::format("tinyllm:{0}_sum{{{1}}} {2}\ntinyllm:{0}_count{{{1}}} {3}\n", name, labels, sum_, count_);
}

ModelMetrics::ModelMetrics()
    : first_token(kSeconds),
      inter_token(kSeconds),
      whole(kSeconds),
      queue(kSeconds),
      prefill(kSeconds),
      decode(kSeconds),
      prompt_sizes(kTokens),
      answer_sizes(kTokens),
      pass_tokens(kTokens),
      pass_sequences(kTokens),
      pass_seconds(kSeconds),
      mask_seconds(kSeconds) {}

void LabelledCounter::add(const std::string& labels) {
  const std::lock_guard lock(mutex_);
  ++counts_[labels];
}

void LabelledCounter::append(std::string& out, std::string_view name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [labels, count] : counts_) out += fmt::format("tinyllm:{}{{{}}} {}\n", name, labels, count);
}

std::string metrics_page(const std::vector<ModelGauges>& models, const ServerMetrics& server,
                         std::string_view fingerprint) {
  std::string out;
  append_gauges(out, models);
  append_counters(out, models);
  append_histograms(out, models);
  begin(out, "http_requests_total", "counter", "Requests that were answered.");
  server.requests.append(out, "http_requests_total");
  begin(out, "requests_refused_total", "counter", "Requests that were refused, by code.");
  server.refused.append(out, "requests_refused_total");
  const auto one = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    begin(out, name, type, help);
    out += fmt::format("tinyllm:{} {}\n", name, value);
  };
  one("http_connections", "gauge", "Open connections.", server.connections.load());
  one("http_requests_open", "gauge", "Requests that are being answered.", server.open_requests.load());
  one("log_lines_dropped_total", "counter", "Lines of the access log for which there was no time.",
      server.log_lines_dropped.load());
  one("process_resident_memory_bytes", "gauge", "Memory of this process.", resident_bytes());
  one("process_open_fds", "gauge", "Open files of this process.", open_files());
  begin(out, "build_info", "gauge", "1, with the version as a label.");
  out += fmt::format("tinyllm:build_info{{version=\"{}\",fingerprint=\"{}\"}} 1\n", TINYLLM_VERSION, fingerprint);
  return out;
}

}  // namespace tinyllm
