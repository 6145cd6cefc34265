// The matrix products of the default model, ours and those of other libraries alternating, compared with the machine's
// peak.
#include <tinyllm/ops/detail/gemm.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/base/random.h>

#include "libraries.h"
#include "measure.h"
#include "report.h"

#include <cmath>
#include <map>

namespace tl = tinyllm;
namespace bench = tinyllm::bench;

namespace {

struct Options {
  std::vector<int> threads = tl::hardware_threads() > 1 ? std::vector{1, tl::hardware_threads()} : std::vector{1};
  std::vector<int64_t> rows = {2048, 256, 32, 1};
  double turn = 0.04;
  tl::Precision precision = tl::Precision::fp32;  // For ours; the others compute in FP32.
};

constexpr int kTurns = 5;
constexpr double kPause = 0.1;

struct Weight {
  int64_t n, k;
};
constexpr Weight kWeights[] = {{1536, 512}, {512, 512}, {2048, 512}, {512, 2048}, {16000, 512}};

std::vector<float> random_floats(int64_t size) {
  tl::Random random(1);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& x : values) x = static_cast<float>(random.uniform() - 0.5);
  return values;
}

// A product of one row computes little for each weight that it reads (or writes: dW). Its limit is the bandwidth to the
// weights, measured once for each size.
class Bandwidths {
 public:
  Bandwidths(tl::ThreadPool& pool, double memory) : pool_(pool), memory_(memory) {}

  void add_to(bench::Json& row, int64_t bytes, bool writes) {
    const Known& known = at(bytes);
    const double moved = static_cast<double>(bytes) * (writes ? 2 : 1);  // A cache line is read before it is written.
    const double rate = moved / row["seconds"].get<double>();
    row["gbytes_per_second"] = rate / 1e9;
    row["fraction_of_bandwidth"] = rate / (writes ? known.update : known.read);
    row["level"] = bench::memory_level(pool_.threads(), bytes, known.read, memory_);
  }

 private:
  struct Known {
    double read, update;
  };
  const Known& at(int64_t bytes) {
    const auto found = known_.find(bytes);
    if (found != known_.end()) return found->second;
    return known_[bytes] = {bench::read_bandwidth(pool_, bytes), bench::update_bandwidth(pool_, bytes)};
  }

  tl::ThreadPool& pool_;
  double memory_;
  std::map<int64_t, Known> known_;
};

bench::Json compare(const tl::GemmShape& s, const std::vector<bench::Library>& others, tl::ThreadPool& pool,
                    double turn) {
  const std::vector<float> a = random_floats(s.m * s.k);
  const std::vector<float> b = random_floats(s.k * s.n);
  const tl::Arena c(static_cast<size_t>(s.m * s.n) * sizeof(float));
  auto* result = reinterpret_cast<float*>(c.data());
  const tl::Arena workspace(tl::gemm_workspace(s, pool.threads()));
  std::vector<std::function<void()>> works = {
      [&] { tl::gemm(s, a.data(), b.data(), nullptr, result, workspace.data(), pool); }};
  for (const bench::Library& other : others) {
    works.emplace_back([&] { other.product(s, a.data(), b.data(), result); });
  }
  const std::vector<double> times = bench::alternate(works, kTurns, turn, pool.threads() > 1 ? kPause : 0);
  bench::Json row = {{"seconds", times[0]}, {"gflops", tl::gemm_flops(s.m, s.n, s.k) / times[0] / 1e9}};
  for (size_t i = 0; i < others.size(); ++i) row["ratio_to_" + others[i].key] = times[i + 1] / times[0];
  return row;
}

bench::Json measure(const Options& o, const std::vector<bench::Library>& others, tl::ThreadPool& pool,
                    const bench::Peaks& peaks) {
  Bandwidths bandwidths(pool, peaks.read);
  bench::Json rows = bench::Json::array();
  for (const int64_t m : o.rows) {
    for (const auto [n, k] : kWeights) {
      const std::pair<const char*, tl::GemmShape> products[] = {
          {"Y = X W^T", {.m = m, .n = n, .k = k, .trans_b = true, .precision = o.precision}},
          {"dX = dY W", {.m = m, .n = k, .k = n, .precision = o.precision}},
          {"dW = dY^T X", {.m = n, .n = k, .k = m, .trans_a = true, .precision = o.precision}},
      };
      for (const auto& [name, shape] : products) {
        bench::Json row = {{"threads", pool.threads()}, {"m", m}, {"n", n}, {"k", k}, {"product", name}};
        row.update(compare(shape, others, pool, o.turn));
        const double peak = o.precision == tl::Precision::bf16 ? peaks.bf16 : peaks.fp32;
        row["fraction_of_peak"] = row["gflops"].get<double>() * 1e9 / peak;
        if (m == 1) bandwidths.add_to(row, n * k * int64_t{sizeof(float)}, shape.trans_a);
        rows.push_back(std::move(row));
      }
    }
  }
  return rows;
}

// Geometric means of the ratios: for each number of rows, and over all.
bench::Json means(const bench::Json& rows, const std::vector<bench::Library>& others, const Options& o) {
  bench::Json result = bench::Json::array();
  std::vector<int64_t> groups = o.rows;
  groups.push_back(0);
  for (const int64_t m : groups) {
    bench::Json row = {{"threads", rows[0]["threads"]}, {"m", m == 0 ? bench::Json("all") : bench::Json(m)}};
    for (const bench::Library& other : others) {
      const std::string key = "ratio_to_" + other.key;
      double log_sum = 0, lowest = INFINITY;
      int count = 0;
      for (const bench::Json& each : rows) {
        if (m != 0 && each["m"] != m) continue;
        log_sum += std::log(each[key].get<double>());
        lowest = std::min(lowest, each[key].get<double>());
        ++count;
      }
      row[key] = std::exp(log_sum / count);
      row["lowest_" + key] = lowest;
    }
    result.push_back(std::move(row));
  }
  return result;
}

void run(const Options& o, bench::Report& report) {
  constexpr bench::Column kProducts[] = {{"m", "M"},
                                         {"n", "N"},
                                         {"k", "K"},
                                         {"product", "product"},
                                         {"gflops", "GFLOP/s", 1},
                                         {"ratio_to_openblas", "x OpenBLAS", 2},
                                         {"ratio_to_onednn", "x oneDNN", 2},
                                         {"fraction_of_peak", "% of peak", 0, 100},
                                         {"gbytes_per_second", "GB/s", 1},
                                         {"fraction_of_bandwidth", "% of bandwidth", 0, 100},
                                         {"level", "of"}};
  constexpr bench::Column kMeans[] = {{"m", "M"},
                                      {"ratio_to_openblas", "x OpenBLAS", 3},
                                      {"lowest_ratio_to_openblas", "lowest", 2},
                                      {"ratio_to_onednn", "x oneDNN", 3},
                                      {"lowest_ratio_to_onednn", "lowest", 2}};
  const std::vector<bench::Library> others = bench::libraries();
  report.line(tl::cpu_features());
  report.set("kernels", tl::cpu_features());
  report.set("precision", tl::name_of(o.precision));
  for (const bench::Library& other : others) {
    report.line("beside " + other.description);
    report.set(other.key, other.description);
  }
  for (const int threads : o.threads) {
    tl::ThreadPool pool(threads);
    for (const bench::Library& other : others) other.set_threads(threads);
    const bench::Peaks peaks = bench::measure_peaks(pool);
    report.line("");
    report.peaks(peaks, threads);
    const bench::Json rows = measure(o, others, pool, peaks);
    report.table("products", rows, kProducts);
    report.line("\nratios, geometric mean and lowest");
    report.table("means", means(rows, others, o), kMeans);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Measures the matrix products of the default model beside those of OpenBLAS and oneDNN, and the peak.");
  app.add_option("--threads", options.threads, "Numbers of threads")->capture_default_str();
  app.add_option("--m", options.rows, "Rows of X")->capture_default_str();
  app.add_option("--turn", options.turn, "Seconds of a library's turn, of which there are five")->capture_default_str();
  bench::add_precision(app, options.precision);
  return bench::run_program(app, argc, argv, [&](bench::Report& report) { run(options, report); });
}
