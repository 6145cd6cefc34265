// The training step of the default model: tokens a second, and what part of this machine's arithmetic it uses.
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/philox.h>
#include <tinyllm/train/trainer.h>

#include "measure.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <fstream>

namespace tl = tinyllm;

namespace {

struct Options {
  bool json = false;
  bool profile = false;
  int steps = 7;
  int threads = tl::hardware_threads();
  std::vector<int64_t> rows = {8};
  int64_t length = 256;
  int64_t accumulate = 1;
  bool recompute = false;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app("Measures training steps of the default model: forward, backward, clipping, AdamW, dropout 0.1.");
  app.add_flag("--json", o.json, "Print JSON");
  app.add_flag("--profile", o.profile, "Print where the time of a step goes");
  app.add_option("--steps", o.steps, "Steps to take the median of")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  app.add_option("--rows", o.rows, "Rows of a batch; one configuration for each")->capture_default_str();
  app.add_option("--length", o.length, "Tokens of a row")->capture_default_str();
  app.add_option("--accumulate", o.accumulate, "Batches in a step")->capture_default_str();
  app.add_flag("--recompute", o.recompute, "Compute activations again in the backward pass");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error) == 0 ? 0 : 2);
  }
  return o;
}

// Model FLOPs of a step: forward and backward take 6 for each weight of a matrix product and token. Attention
// multiplies [T, T] by [T, D] twice forward and, counted as three times that with the backward pass, half of it is
// masked away: 6 T C for each token and layer. Norms, activations and the optimiser are not counted.
double step_flops(const tl::ModelConfig& c, int64_t rows, int64_t length) {
  int64_t matrices = 0;
  for (const tl::WeightSpec& spec : tl::weight_specs(c)) {
    if (spec.is_matrix && spec.name != "tok_emb.weight") matrices += spec.shape.size();
  }
  const auto tokens = static_cast<double>(rows * length);
  return tokens * (6.0 * static_cast<double>(matrices) + 6.0 * static_cast<double>(c.n_layers * length * c.dim));
}

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * 4096;
}

tl::Batch random_batch(int64_t rows, int64_t length, int64_t vocab) {
  tl::Random random(1);
  const auto size = static_cast<size_t>(rows * length);
  tl::Batch batch{rows,
                  length,
                  std::vector<int32_t>(size),
                  std::vector<int32_t>(size),
                  std::vector<int32_t>(size),
                  std::vector<int32_t>(size, 0)};
  for (size_t i = 0; i < size; ++i) {
    batch.tokens[i] = static_cast<int32_t>(random.below(vocab));
    batch.targets[i] = static_cast<int32_t>(random.below(vocab));
    batch.positions[i] = static_cast<int32_t>(i) % static_cast<int32_t>(length);
  }
  return batch;
}

// A tokenizer is not needed here, but a model has one.
tl::Model random_model(const tl::ModelConfig& config) {
  const std::vector<std::string> text = {"a b c d e f g h"};
  tl::Model model{config, tl::Tokenizer::train(text, {.vocab_size = 300})};
  tl::init_weights(config, 1, *model.weights);
  return model;
}

nlohmann::ordered_json measure(const Options& o, int64_t rows) {
  const tl::ModelConfig config;
  tl::ThreadPool pool(o.threads);
  tl::Model model = random_model(config);
  const tl::Recipe recipe{.rows = rows, .length = o.length, .accumulate = o.accumulate, .recompute = o.recompute};
  tl::Trainer trainer(model, recipe, pool);
  const tl::Batch batch = random_batch(recipe.batch_rows(), o.length, config.vocab_size);
  trainer.step(batch);  // Touches all memory.
  const double peak = tl::bench::peak_flops(pool);
  std::vector<double> times;
  for (int i = 0; i < o.steps; ++i) times.push_back(tl::bench::seconds([&] { trainer.step(batch); }));
  const double time = tl::bench::median(times);
  const double flops = step_flops(config, recipe.batch_rows(), o.length) / time;
  if (o.profile) {
    double total = 0;
    const std::vector<tl::OpTime> profile = trainer.profile(batch);
    for (const tl::OpTime& op : profile) total += op.seconds;
    for (const tl::OpTime& op : profile) {
      fmt::print("{:24} {:4} nodes {:9.2f} ms {:5.1f} %\n", op.op, op.nodes, op.seconds * 1e3,
                 100 * op.seconds / total);
    }
  }
  return {{"rows", rows},
          {"length", o.length},
          {"accumulate", o.accumulate},
          {"recompute", o.recompute},
          {"threads", o.threads},
          {"step_seconds", time},
          {"tokens_per_second", static_cast<double>(recipe.batch_rows() * o.length) / time},
          {"model_gflops", flops / 1e9},
          {"peak_gflops", peak / 1e9},
          {"fraction_of_peak", flops / peak},
          {"resident_bytes", resident_bytes()},
          {"predicted_bytes", trainer.memory().total()}};
}

void print(const nlohmann::ordered_json& result) {
  fmt::print(
      "step {}x{}, {} threads: {:.3f} s, {:.0f} tokens/s, {:.1f} of {:.1f} GFLOP/s FP32 peak = {:.1f} %; "
      "memory {:.2f} GB resident, {:.2f} GB planned\n",
      result["rows"].get<int>(), result["length"].get<int>(), result["threads"].get<int>(),
      result["step_seconds"].get<double>(), result["tokens_per_second"].get<double>(),
      result["model_gflops"].get<double>(), result["peak_gflops"].get<double>(),
      100 * result["fraction_of_peak"].get<double>(), result["resident_bytes"].get<double>() / 1e9,
      result["predicted_bytes"].get<double>() / 1e9);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    nlohmann::ordered_json all = {{"kernels", tl::cpu_features()}, {"configurations", nlohmann::json::array()}};
    if (!options.json) fmt::print("{}\n", tl::cpu_features());
    for (const int64_t rows : options.rows) {
      all["configurations"].push_back(measure(options, rows));
      if (!options.json) print(all["configurations"].back());
    }
    if (options.json) fmt::print("{}\n", all.dump(2));
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_train: {}\n", error.what());
    return 1;
  }
}
