// Matrix products of the default model's training, ours and OpenBLAS's side by side, and this machine's peak.
#include <tinyllm/ops/gemm.h>
#include <tinyllm/tensor/arena.h>
#include <tinyllm/tensor/philox.h>

#include "measure.h"

#include <cblas.h>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

namespace tl = tinyllm;

namespace {

std::vector<float> random_floats(int64_t size) {
  tl::Random random(1);
  std::vector<float> values(static_cast<size_t>(size));
  for (float& x : values) x = static_cast<float>(random.uniform() - 0.5);
  return values;
}

struct Pair {
  double ours, openblas;  // FLOP/s.
};

// A and B by turns, each for long enough that its own threads are awake and the other's are asleep.
Pair compare(const tl::GemmShape& s, tl::ThreadPool& pool) {
  const std::vector<float> a = random_floats(s.m * s.k), b = random_floats(s.k * s.n);
  std::vector<float> c(static_cast<size_t>(s.m * s.n));
  const tl::Arena workspace(tl::gemm_workspace(s));
  const auto ours = [&] { tl::gemm(s, a.data(), b.data(), nullptr, c.data(), workspace.data(), pool); };
  const auto openblas = [&] {
    cblas_sgemm(CblasRowMajor, s.trans_a ? CblasTrans : CblasNoTrans, s.trans_b ? CblasTrans : CblasNoTrans,
                static_cast<int>(s.m), static_cast<int>(s.n), static_cast<int>(s.k), 1.0f, a.data(),
                static_cast<int>(s.trans_a ? s.m : s.k), b.data(), static_cast<int>(s.trans_b ? s.k : s.n), 0.0f,
                c.data(), static_cast<int>(s.n));
  };
  const double flops = tl::gemm_flops(s.m, s.n, s.k);
  const auto speed = [&](const auto& work) {
    std::vector<double> times;
    double spent = 0;
    for (int i = 0; i < 3 || spent < 0.12; ++i) {
      const double time = tl::bench::seconds(work);
      spent += time;
      times.push_back(time);
    }
    times.erase(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 3));  // Waking up.
    return flops / tl::bench::median(times);
  };
  std::vector<double> first, second;
  for (int round = 0; round < 5; ++round) {
    first.push_back(speed(ours));
    second.push_back(speed(openblas));
  }
  return {tl::bench::median(first), tl::bench::median(second)};
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : tl::hardware_threads();
  try {
    tl::ThreadPool pool(threads);
    openblas_set_num_threads(threads);
    const double peak = tl::bench::peak_flops(pool);
    fmt::print("{}, {} threads, FP32 peak {:.1f} GFLOP/s, OpenBLAS {}\n", tl::cpu_features(), threads, peak / 1e9,
               openblas_get_corename());
    fmt::print("{:>6} {:>6} {:>6}  {:12} {:>8} {:>8} {:>7} {:>8}\n", "M", "N", "K", "product", "GFLOP/s", "OpenBLAS",
               "ratio", "of peak");
    double log_sum = 0;
    double worst = 1e9;
    int count = 0;
    for (const int64_t m : {2048, 256}) {
      for (const auto& [n, k] :
           {std::pair<int64_t, int64_t>{1536, 512}, {512, 512}, {2048, 512}, {512, 2048}, {16000, 512}}) {
        const std::pair<const char*, tl::GemmShape> products[] = {
            {"Y = X W^T", {.m = m, .n = n, .k = k, .trans_b = true}},
            {"dX = dY W", {.m = m, .n = k, .k = n}},
            {"dW = dY^T X", {.m = n, .n = k, .k = m, .trans_a = true}},
        };
        for (const auto& [name, shape] : products) {
          const Pair pair = compare(shape, pool);
          const double ratio = pair.ours / pair.openblas;
          fmt::print("{:6} {:6} {:6}  {:12} {:8.1f} {:8.1f} {:7.2f} {:6.1f} %\n", m, n, k, name, pair.ours / 1e9,
                     pair.openblas / 1e9, ratio, 100 * pair.ours / peak);
          log_sum += std::log(ratio);
          worst = std::min(worst, ratio);
          ++count;
        }
      }
    }
    fmt::print("ratio to OpenBLAS: geometric mean {:.3f}, lowest {:.3f}\n", std::exp(log_sum / count), worst);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_products: {}\n", error.what());
    return 1;
  }
}
