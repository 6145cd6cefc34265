// Inference speed: tokens per second for prompts and for generation, compared with the limits of the machine's
// arithmetic and memory.
#include <tinyllm/model/gguf_model.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/runtime/session.h>

#include "measure.h"
#include "report.h"
#include "shapes.h"
#include "training.h"

#include <algorithm>
#include <map>

namespace tl = tinyllm;
namespace bench = tinyllm::bench;

namespace {

struct Options {
  std::vector<std::string> models = {"default", "tinyllama-1.1b"};
  std::vector<std::string> types = {"q8_0", "q4_0"};
  std::vector<int> threads = tl::hardware_threads() > 1 ? std::vector{1, tl::hardware_threads()} : std::vector{1};
  std::vector<int64_t> batches = {1, 4, 16};
  std::vector<int64_t> prompts = {128, 512};
  std::vector<tl::DType> caches = {tl::SessionOptions{}.cache_type};
  int64_t tokens = 32;
  std::filesystem::path gguf;
};

constexpr int kPrompts = 3;            // At most this many prompts of each length,
constexpr double kPromptSeconds = 10;  // and no further one after this time.

// The minimum work for some tokens: integer and float operations, and bytes read.
struct Work {
  double products = 0, attention = 0, bytes = 0;
};

// For `tokens` new tokens of each row after `length` old ones, with the head for the last token.
Work work_of(const tl::ModelConfig& c, int64_t rows, int64_t tokens, int64_t length, tl::DType cache) {
  Work work;
  for (const tl::WeightSpec& spec : tl::weight_specs(c)) {
    if (spec.role == tl::WeightRole::embedding && !c.tied_head) continue;
    work.bytes += static_cast<double>(tl::bytes_of(spec.type, spec.shape));
    const int64_t uses = spec.role == tl::WeightRole::matrix ? rows * tokens : rows;
    if (spec.shape.rank() == 2) work.products += 2.0 * static_cast<double>(uses * spec.shape.size());
  }
  const double seen = static_cast<double>(length) + static_cast<double>(tokens + 1) / 2;
  work.attention = 4.0 * static_cast<double>(rows * tokens * c.n_layers * c.q_dim()) * seen;
  work.bytes += 2.0 * static_cast<double>(tl::size_of(cache)) *
                static_cast<double>(rows * c.n_layers * c.kv_dim() * (length + tokens));
  return work;
}

// The limits with one number of threads. The bandwidth is measured for the number of bytes read, so small data has the
// bandwidth of a cache.
struct Limits {
  tl::ThreadPool pool;
  bench::Peaks peaks;

  explicit Limits(int threads) : pool(threads), peaks(bench::measure_peaks(pool)) {}

  double least_seconds(const tl::ModelConfig& c, const Work& work, double bandwidth) const {
    const double products = tl::has_scales(c.types.matrices) ? peaks.int8 : peaks.fp32;
    return std::max(work.products / products + work.attention / peaks.fp32, work.bytes / bandwidth);
  }
};

bench::Json measure(const tl::Model& model, int64_t batch, int64_t prompt, tl::DType cache, const Options& o,
                    Limits& limits) {
  const tl::ModelConfig& c = model.config;
  tl::Session session(model, {.sequences = batch, .cache_type = cache, .pool = limits.pool});
  std::vector<tl::Sequence> sequences;
  for (int64_t i = 0; i < batch; ++i) sequences.push_back(session.start());
  const auto read = [&](const std::vector<int32_t>& tokens) {
    std::vector<tl::Session::Feed> feeds;
    for (tl::Sequence& sequence : sequences) feeds.push_back({&sequence, tokens});
    return bench::seconds([&] { session.forward(feeds); });
  };
  const std::vector<int32_t> tokens(static_cast<size_t>(prompt), 1), next(1, 1);
  const Work middle = work_of(c, batch, 1, prompt + o.tokens / 2, cache);
  const double bandwidth = bench::read_bandwidth(limits.pool, static_cast<int64_t>(middle.bytes));
  std::vector<double> prompt_times, step_times;
  double spent = 0;
  for (int i = 0; i <= kPrompts && spent < kPromptSeconds; ++i) {
    for (tl::Sequence& sequence : sequences) sequence.truncate(0);
    const double time = read(tokens);
    if (i == 0) continue;  // The first run plans programs and touches memory.
    prompt_times.push_back(time);
    spent += time;
  }
  double step_least = 0;
  for (int64_t i = 0; i <= o.tokens; ++i) {
    const double time = read(next);
    if (i == 0) continue;
    step_times.push_back(time);
    step_least += limits.least_seconds(c, work_of(c, batch, 1, prompt + i, cache), bandwidth);
  }
  const double prompt_time = bench::median(prompt_times);
  const double step = bench::median(step_times);  // The median ignores steps in which other processes took a core.
  return {{"prompt_tokens_per_second", static_cast<double>(batch * prompt) / prompt_time},
          {"prompt_fraction_of_roofline",
           limits.least_seconds(c, work_of(c, batch, prompt, 0, cache), bandwidth) / prompt_time},
          {"generation_tokens_per_second", static_cast<double>(batch) / step},
          {"bandwidth", bandwidth},
          {"bytes_per_second", middle.bytes / step},
          {"fraction_of_roofline", step_least / static_cast<double>(o.tokens) / step}};
}

void run(const Options& o, bench::Report& report) {
  constexpr bench::Column kColumns[] = {{"model", "model"},
                                        {"type", "weights"},
                                        {"cache", "cache"},
                                        {"threads", "threads"},
                                        {"batch", "batch"},
                                        {"prompt", "prompt"},
                                        {"prompt_tokens_per_second", "prompt tokens/s"},
                                        {"prompt_fraction_of_roofline", "% of roofline", 0, 100},
                                        {"generation_tokens_per_second", "generation tokens/s", 1},
                                        {"bytes_per_second", "GB/s", 1, 1e-9},
                                        {"bandwidth", "of GB/s", 1, 1e-9},
                                        {"fraction_of_roofline", "% of roofline", 0, 100}};
  report.line(tl::cpu_features());
  report.set("kernels", tl::cpu_features());
  std::map<int, Limits> limits;
  for (const int threads : o.threads) {
    limits.try_emplace(threads, threads);
    report.peaks(limits.at(threads).peaks, threads);
  }
  for (const std::string& model : o.models) {
    for (const std::string& type : o.types) {
      tl::ModelConfig c = bench::shape(model, type);
      c.context = *std::max_element(o.prompts.begin(), o.prompts.end()) + o.tokens + 1;
      const tl::Model filled = bench::untrained_model(c);
      bench::fill_weights(c, *filled.weights, limits.begin()->second.pool);
      if (!o.gguf.empty()) {
        tl::save_gguf(filled, tl::gguf_types(filled), o.gguf / fmt::format("{}-{}.gguf", model, type),
                      limits.begin()->second.pool);
      }
      bench::Json rows = bench::Json::array();
      for (auto& [threads, limit] : limits) {
        for (const int64_t batch : o.batches) {
          for (const int64_t prompt : o.prompts) {
            for (const tl::DType cache : o.caches) {
              bench::Json row = {{"model", model},     {"type", type},   {"cache", tl::name_of(cache)},
                                 {"threads", threads}, {"batch", batch}, {"prompt", prompt}};
              row.update(measure(filled, batch, prompt, cache, o, limit));
              rows.push_back(std::move(row));
            }
          }
        }
      }
      report.table("configurations", rows, kColumns);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures answering with random weights in the shapes of known models.");
  app.add_option("--model", options.models, fmt::format("{}", fmt::join(bench::shape_names(), ", ")))
      ->check(CLI::IsMember(bench::shape_names()))
      ->capture_default_str();
  app.add_option("--type", options.types, fmt::format("Of weights: {}", fmt::join(bench::type_names(), ", ")))
      ->check(CLI::IsMember(bench::type_names()))
      ->capture_default_str();
  app.add_option("--cache-type", options.caches, "Of keys and values: f32, f16")
      ->transform(CLI::CheckedTransformer(std::map<std::string, tl::DType>{{"f32", tl::f32}, {"f16", tl::f16}}));
  app.add_option("--threads", options.threads, "Numbers of threads")->capture_default_str();
  app.add_option("--batch", options.batches, "Sequences at once")->check(CLI::Range(1, 512))->capture_default_str();
  app.add_option("--prompt", options.prompts, "Tokens of a prompt")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--tokens", options.tokens, "Tokens to generate")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--gguf", options.gguf, "Also write the models to this folder, for other programs")
      ->check(CLI::ExistingDirectory);
  return bench::run_program(app, argc, argv, [&](bench::Report& report) { run(options, report); });
}
