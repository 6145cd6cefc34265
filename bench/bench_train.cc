// The training step of a model: tokens per second, the fraction of the machine's peak, and memory.
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/peak.h>

#include "measure.h"
#include "report.h"
#include "shapes.h"
#include "training.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tl = tinyllm;
namespace bench = tinyllm::bench;

namespace {

struct Options {
  std::string shape = "default";
  std::string type = "f32";
  int64_t lora_rank = 0;
  bool profile = false;
  int steps = 7;
  int threads = tl::hardware_threads();
  std::vector<std::string> batches = {"8x256", "4x512", "1x512"};
  tl::Recipe recipe = {};  // The batch comes from the configuration.
};

// The peak memory of this process.
int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return int64_t{1024} * usage.ru_maxrss;
}

// An op is bound by what takes longer at the machine's peak: its arithmetic or its memory traffic.
bench::Json profile_row(const tl::OpTime& op, double step_seconds, tl::Precision precision, const bench::Peaks& peaks) {
  const double arithmetic =
      op.flops / (precision == tl::Precision::bf16 && bench::is_product(op.op) ? peaks.bf16 : peaks.fp32);
  const double traffic = op.bytes / peaks.read;
  bench::Json row = {{"op", op.op},
                     {"nodes", op.nodes},
                     {"seconds", op.seconds},
                     {"fraction_of_step", op.seconds / step_seconds},
                     {"flops", op.flops},
                     {"bytes", op.bytes},
                     {"gflops", nullptr},
                     {"gbytes_per_second", op.bytes / op.seconds / 1e9},
                     {"bound", arithmetic > traffic ? "arithmetic" : "memory"},
                     {"fraction_of_roofline", std::max(arithmetic, traffic) / op.seconds}};
  if (op.flops > 0) row["gflops"] = op.flops / op.seconds / 1e9;
  return row;
}

bench::Json profile(bench::TrainingStep& step, int runs, tl::Precision precision, const bench::Peaks& peaks) {
  constexpr double kShown = 5e-4;  // As a fraction of the step; less is noise.
  const std::vector<tl::OpTime> ops = step.profile(runs);
  double total = 0;
  for (const tl::OpTime& op : ops) total += op.seconds;
  bench::Json rows = bench::Json::array();
  for (const tl::OpTime& op : ops) {
    if (op.seconds > kShown * total) rows.push_back(profile_row(op, total, precision, peaks));
  }
  return rows;
}

bench::Json measure(const Options& o, const bench::BatchSize& size) {
  tl::ThreadPool pool(o.threads);
  tl::Recipe recipe = o.recipe;
  recipe.batch_size = size.rows;
  recipe.seq_len = size.length;
  bench::TrainingStep step(recipe, pool, bench::shape(o.shape, o.type), o.lora_rank);
  step.run();  // Touches all memory.
  double peak = tl::arithmetic_peak(pool, tl::Precision::fp32);
  std::vector<double> times;
  for (int i = 0; i < o.steps; ++i) times.push_back(bench::seconds([&] { step.run(); }));
  peak = std::max(peak, tl::arithmetic_peak(pool, tl::Precision::fp32));
  const double time = bench::median(times);
  const double rate = step.flops() / time;
  bench::Json row = {{"shape", o.shape},
                     {"type", o.type},
                     {"lora_rank", o.lora_rank},
                     {"batch", size.str()},
                     {"rows", size.rows},
                     {"length", size.length},
                     {"accumulate", recipe.accumulate},
                     {"recompute", recipe.checkpoint_activations},
                     {"precision", tl::name_of(recipe.precision)},
                     {"threads", o.threads},
                     {"step_seconds", time},
                     {"tokens_per_second", static_cast<double>(size.tokens() * recipe.accumulate) / time},
                     {"model_gflops", rate / 1e9},
                     {"peak_gflops", peak / 1e9},
                     {"fraction_of_peak", rate / peak},
                     {"resident_bytes", peak_resident_bytes()},
                     {"predicted_bytes", step.memory().total()}};
  if (o.profile) {
    const bench::Peaks peaks = bench::measure_peaks(pool);
    row["read_gbytes"] = peaks.read / 1e9;
    row["profile"] = profile(step, o.steps, recipe.precision, peaks);
  }
  return row;
}

// Runs in a child process, so that its peak memory is measured alone. No thread has been started yet.
bench::Json measure_apart(const Options& o, const bench::BatchSize& size) {
  int ends[2];
  if (pipe(ends) != 0) throw tl::Error("pipe: {}", std::strerror(errno));
  const pid_t child = fork();
  if (child < 0) throw tl::Error("fork: {}", std::strerror(errno));
  if (child == 0) {
    close(ends[0]);
    bench::Json result;
    try {
      result = measure(o, size);
    } catch (const std::exception& error) {
      result = {{"error", error.what()}};
    }
    const std::string text = result.dump();
    const bool sent = write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(sent ? 0 : 1);
  }
  close(ends[1]);
  std::string text;
  char part[4096];
  for (ssize_t n = 0; (n = read(ends[0], part, sizeof part)) > 0;) text.append(part, static_cast<size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (status != 0) throw tl::Error("batch {}: its process ended with status {}", size.str(), status);
  bench::Json result = bench::Json::parse(text);
  if (result.contains("error")) throw tl::Error("batch {}: {}", size.str(), result["error"].get<std::string>());
  return result;
}

void run(const Options& o, bench::Report& report) {
  constexpr bench::Column kConfigurations[] = {{"shape", "shape"},
                                               {"type", "type"},
                                               {"lora_rank", "LoRA"},
                                               {"batch", "batch"},
                                               {"precision", "products"},
                                               {"threads", "threads"},
                                               {"step_seconds", "s/step", 3},
                                               {"tokens_per_second", "tokens/s"},
                                               {"model_gflops", "GFLOP/s", 1},
                                               {"peak_gflops", "FP32 peak", 1},
                                               {"fraction_of_peak", "% of peak", 1, 100},
                                               {"resident_bytes", "resident GB", 3, 1e-9},
                                               {"predicted_bytes", "predicted GB", 3, 1e-9}};
  constexpr bench::Column kProfile[] = {{"op", "op"},
                                        {"nodes", "nodes"},
                                        {"seconds", "ms", 2, 1e3},
                                        {"fraction_of_step", "%", 1, 100},
                                        {"flops", "GFLOP", 2, 1e-9},
                                        {"bytes", "MB", 1, 1e-6},
                                        {"gflops", "GFLOP/s", 1},
                                        {"gbytes_per_second", "GB/s", 1},
                                        {"fraction_of_roofline", "% of roofline", 0, 100},
                                        {"bound", "bound by"}};
  report.line(tl::cpu_features());
  report.set("kernels", tl::cpu_features());
  bench::Json rows = bench::Json::array();
  for (const std::string& batch : o.batches) rows.push_back(measure_apart(o, bench::BatchSize::parse(batch)));
  report.table("configurations", rows, kConfigurations);
  for (const bench::Json& row : rows) {
    if (!o.profile) break;
    report.line(fmt::format("\n{} by op; memory read {:.1f} GB/s", row["batch"].get<std::string>(),
                            row["read_gbytes"].get<double>()));
    report.print(row["profile"], kProfile);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures training steps: forward, backward, clipping, AdamW, and the model's dropout.");
  app.add_option("--shape", options.shape, fmt::format("{}", fmt::join(bench::shape_names(), ", ")))
      ->check(CLI::IsMember(bench::shape_names()))
      ->capture_default_str();
  app.add_option("--type", options.type, fmt::format("Of weights: {}", fmt::join(bench::type_names(), ", ")))
      ->check(CLI::IsMember(bench::type_names()))
      ->capture_default_str();
  app.add_option("--lora-rank", options.lora_rank, "Train adapters of this rank; 0 trains all weights")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--profile", options.profile, "Say where the time of a step goes");
  app.add_option("--steps", options.steps, "Steps to take the median of")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", options.threads, "Threads to compute with")->capture_default_str();
  app.add_option("--batch", options.batches, "Rows x tokens; one configuration for each")->capture_default_str();
  app.add_option("--accumulate", options.recipe.accumulate, "Batches in a step")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--recompute", options.recipe.checkpoint_activations, "Compute activations again in the backward pass");
  bench::add_precision(app, options.recipe.precision);
  return bench::run_program(app, argc, argv, [&](bench::Report& report) { run(options, report); });
}
