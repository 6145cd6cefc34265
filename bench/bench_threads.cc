// The cost and the gain of threads: fork and join of an empty region, and a training step on one thread and on all.
#include <tinyllm/ops/kernels/kernels.h>

#include "measure.h"
#include "report.h"
#include "training.h"

namespace tl = tinyllm;
namespace bench = tinyllm::bench;

namespace {

struct Options {
  int threads = tl::hardware_threads();
  int steps = 5;
  std::string batch = "8x256";
};

// Regions follow each other immediately, like the ops of a program, so that no thread goes to sleep.
double fork_join_seconds(int threads) {
  constexpr int kRegions = 20'000;
  tl::ThreadPool pool(threads);
  std::vector<double> times;
  for (int i = 0; i < kRegions; ++i) {
    times.push_back(bench::seconds([&] { pool.parallel_for(threads, [](int64_t) {}); }));
  }
  return bench::median(std::move(times));
}

// Alternates steps on one thread and on all. Each program has its own model and pool.
bench::Json scaling(const Options& o) {
  tl::ThreadPool one(1), all(o.threads);
  const bench::BatchSize size = bench::BatchSize::parse(o.batch);
  const tl::Recipe recipe{.batch_size = size.rows, .seq_len = size.length};
  bench::TrainingStep on_one(recipe, one), on_all(recipe, all);
  on_one.run();  // Touches all memory.
  on_all.run();
  std::vector<double> one_times, all_times;
  for (int i = 0; i < o.steps; ++i) {
    one_times.push_back(bench::seconds([&] { on_one.run(); }));
    all_times.push_back(bench::seconds([&] { on_all.run(); }));
  }
  const double one_time = bench::median(std::move(one_times));
  const double all_time = bench::median(std::move(all_times));
  return {{"batch", o.batch},
          {"threads", o.threads},
          {"one_thread_seconds", one_time},
          {"step_seconds", all_time},
          {"speedup", one_time / all_time}};
}

void run(const Options& o, bench::Report& report) {
  constexpr bench::Column kForkJoin[] = {{"threads", "threads"}, {"seconds", "fork and join us", 2, 1e6}};
  constexpr bench::Column kScaling[] = {{"batch", "batch"},
                                        {"one_thread_seconds", "s/step, 1 thread", 3},
                                        {"threads", "threads"},
                                        {"step_seconds", "s/step", 3},
                                        {"speedup", "speedup", 2}};
  report.line(tl::cpu_features());
  report.table("fork_join", bench::Json::array({{{"threads", o.threads}, {"seconds", fork_join_seconds(o.threads)}}}),
               kForkJoin);
  report.table("scaling", bench::Json::array({scaling(o)}), kScaling);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures what a parallel region costs and how much faster a training step is on all threads.");
  app.add_option("--threads", options.threads, "Threads beside one")->capture_default_str();
  app.add_option("--steps", options.steps, "Steps to take the median of")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Rows x tokens of the step")->capture_default_str();
  return bench::run_program(app, argc, argv, [&](bench::Report& report) { run(options, report); });
}
