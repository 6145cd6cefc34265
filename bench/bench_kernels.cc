// Kernels at the shapes of the default model, for tuning: Google Benchmark, with GFLOP/s or GB/s as counters.
#include <tinyllm/model/config.h>
#include <tinyllm/tensor/philox.h>
#include <tinyllm/tinyllm.h>

#include "measure.h"

#include <benchmark/benchmark.h>

#include <functional>

namespace tl = tinyllm;

namespace {

constexpr int64_t kTokens = 2048;
const tl::ModelConfig kModel;

struct Work {
  double flops = 0;
  double bytes = 0;
};

// Times a small graph: what `build` returns.
void run_graph(benchmark::State& state, const std::function<tl::Tensor(tl::Graph&)>& build, Work work) {
  tl::Graph graph;
  const tl::Tensor result = build(graph);
  tl::Program program = tl::compile(graph, {result}, {.threads = static_cast<int>(state.range(0))});
  tl::Random random(1);
  for (const tl::Value& value : graph.values()) {
    if (value.kind == tl::Kind::activation || value.kind == tl::Kind::constant) continue;
    if (value.dtype == tl::i32) {
      std::ranges::fill(program.as<int32_t>(value.name), 1);  // A token, a step.
      continue;
    }
    for (float& x : program.as<float>(value.name)) x = static_cast<float>(random.uniform() - 0.5);
  }
  for (auto _ : state) program.run();
  using benchmark::Counter;
  if (work.flops > 0) state.counters["FLOP/s"] = Counter(work.flops, Counter::kIsIterationInvariantRate);
  if (work.bytes > 0) state.counters["B/s"] = Counter(work.bytes, Counter::kIsIterationInvariantRate);
}

void register_op(const std::string& name, std::function<tl::Tensor(tl::Graph&)> build, Work work) {
  for (const int threads : {1, tl::hardware_threads()}) {
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run_graph(state, build, work); })
        ->ArgName("threads")
        ->Arg(threads)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
  }
}

void register_products() {
  const std::pair<const char*, std::pair<int64_t, int64_t>> layers[] = {
      {"qkv", {1536, 512}}, {"o", {512, 512}}, {"w1", {2048, 512}}, {"w2", {512, 2048}}, {"head", {16000, 512}}};
  for (const auto& [name, shape] : layers) {
    const auto [n, k] = shape;
    for (const int64_t m : {kTokens, int64_t{256}, int64_t{32}, int64_t{1}}) {
      register_op(fmt::format("linear/{}/{}x{}x{}", name, m, n, k),
                  [=](tl::Graph& g) {
                    return tl::linear(g.input("x", tl::f32, {m, k}), g.input("w", tl::f32, {n, k}));
                  },
                  {.flops = tl::gemm_flops(m, n, k)});
    }
  }
}

void register_rows() {
  const tl::Shape x = {kTokens, kModel.dim};
  const tl::Shape wide = {kTokens, kModel.ffn_dim};
  const auto bytes = [](const tl::Shape& shape, double times) {
    return Work{.bytes = 4.0 * times * double(shape.size())};
  };
  register_op(
      "silu", [=](tl::Graph& g) { return tl::silu(g.input("x", tl::f32, wide)); }, bytes(wide, 2));
  register_op(
      "gelu", [=](tl::Graph& g) { return tl::gelu(g.input("x", tl::f32, wide)); }, bytes(wide, 2));
  register_op(
      "add", [=](tl::Graph& g) { return tl::add(g.input("x", tl::f32, x), g.input("y", tl::f32, x)); }, bytes(x, 3));
  register_op(
      "dropout",
      [=](tl::Graph& g) {
        return tl::dropout(g.input("x", tl::f32, wide), {0.1f, 1, g.input("step", tl::i32, {1})});
      },
      bytes(wide, 2));
  register_op(
      "rms_norm",
      [=](tl::Graph& g) { return tl::rms_norm(g.input("x", tl::f32, x), g.input("w", tl::f32, {kModel.dim}), 1e-5f); },
      bytes(x, 2));
  register_op(
      "softmax",
      [=](tl::Graph& g) {
        return tl::softmax(g.input("x", tl::f32, {kTokens, 256}));
      },
      bytes({kTokens, 256}, 2));
  register_op(
      "cross_entropy",
      [=](tl::Graph& g) {
        return tl::cross_entropy(g.input("x", tl::f32, {kTokens, kModel.vocab_size}), g.input("t", tl::i32, {kTokens}));
      },
      bytes({kTokens, kModel.vocab_size}, 1));
  register_op(
      "embedding",
      [=](tl::Graph& g) {
        return tl::embedding(g.input("w", tl::f32, {kModel.vocab_size, kModel.dim}), g.input("t", tl::i32, {kTokens}));
      },
      bytes(x, 2));
}

void register_attention() {
  for (const int64_t length : {256, 512}) {
    const tl::Shape heads = {kTokens / length, length, kModel.n_heads, kModel.head_size()};
    const double flops =
        2.0 * double(kTokens) * double(length) * double(kModel.dim);  // The causal half of two products.
    const auto inputs = [=](tl::Graph& g) {
      return std::array{g.input("q", tl::f32, heads), g.input("k", tl::f32, heads), g.input("v", tl::f32, heads)};
    };
    register_op(fmt::format("attention/{}", length),
                [=](tl::Graph& g) {
                  const auto [q, k, v] = inputs(g);
                  return tl::attention(q, k, v);
                },
                {.flops = flops});
    register_op(fmt::format("attention, forward and backward/{}", length),
                [=](tl::Graph& g) {
                  const auto [q, k, v] = inputs(g);
                  return tl::gradients(tl::sum(tl::attention(q, k, v)), {q})[0];
                },
                {.flops = 3 * flops});
  }
}

void register_update() {
  const int64_t n = int64_t{1} << 22;
  register_op("adamw",
              [=](tl::Graph& g) {
                return tl::adamw(g.parameter("p", tl::f32, {n}), g.input("g", tl::f32, {n}), g.state("m", tl::f32, {n}),
                                 g.state("v", tl::f32, {n}), g.input("step", tl::i32, {1}), g.constant(1e-4f, {1}),
                                 g.constant(1, {1}), {});
              },
              {.bytes = 28.0 * double(n)});
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::AddCustomContext("kernels", tl::cpu_features());
  {
    tl::ThreadPool pool(tl::hardware_threads());
    benchmark::AddCustomContext("FP32 peak, GFLOP/s", fmt::format("{:.1f}", tl::bench::peak_flops(pool) / 1e9));
  }
  register_products();
  register_attention();
  register_rows();
  register_update();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
