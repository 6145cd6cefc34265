// Every op of the default model alone, at every shape that it has there, and ops of other networks. Uses Google
// Benchmark; for tuning.
#include <tinyllm/model/transformer.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/peak.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tinyllm.h>

#include "measure.h"
#include "training.h"

#include <benchmark/benchmark.h>

#include <bit>
#include <map>

namespace tl = tinyllm;
namespace bench = tinyllm::bench;

namespace {

// One node of the model in one precision, with copies of everything needed to build it again.
struct Kernel {
  std::string name;
  tl::Precision precision;
  const tl::Op* op;
  std::any params;
  std::vector<tl::Value> inputs;
  std::vector<tl::Graph::Output> outputs;
};

// The limits of the machine with one number of threads, measured when first needed.
class Limits {
 public:
  explicit Limits(int threads) : threads_(threads) {}

  double peak(tl::Precision precision) {
    double& peak = peak_[precision];
    if (peak == 0) {
      tl::ThreadPool pool(threads_);
      peak = tl::arithmetic_peak(pool, precision);
    }
    return peak;
  }
  // The bandwidth for arrays of about this size: those of a small op stay in a cache between runs.
  double read(double bytes) {
    const uint64_t size = std::bit_ceil(static_cast<uint64_t>(bytes));
    double& bandwidth = read_[size];
    if (bandwidth == 0) {
      tl::ThreadPool pool(threads_);
      bandwidth = bench::read_bandwidth(pool, static_cast<int64_t>(size));
    }
    return bandwidth;
  }

 private:
  int threads_;
  std::map<tl::Precision, double> peak_;
  std::map<uint64_t, double> read_;
};

// Fills inputs: random numbers around 0, for states above 0 (a second moment needs a root); random tokens; rows that
// start at their first position; caches that are full after the pass; the first step.
void fill(tl::Program& program, const tl::Value& value, int64_t tokens) {
  const tl::ModelConfig config;
  tl::Random random(1);
  if (value.type == tl::f32) {
    const double low = value.kind == tl::Kind::state ? 0 : -0.5;
    for (float& x : program.data<float>(value.name)) x = static_cast<float>(random.uniform() + low);
    return;
  }
  int32_t i = 0;
  for (int32_t& x : program.data<int32_t>(value.name)) {
    const auto row = static_cast<int32_t>(tokens);
    x = value.name == "starts"      ? 0
        : value.name == "step"      ? 1
        : value.name == "sequences" ? i / row
        : value.name == "positions" ? static_cast<int32_t>(config.context) - row + i % row
        : value.name == "pages"     ? i
                                    : static_cast<int32_t>(random.below(config.vocab_size));
    ++i;
  }
}

void run(benchmark::State& state, const Kernel& kernel, Limits& limits) {
  tl::Graph graph;
  std::vector<tl::Tensor> inputs;
  std::map<std::string, tl::Tensor> known;  // A value may be two inputs of a node.
  for (const tl::Value& value : kernel.inputs) {
    tl::Tensor& tensor = known[value.name];
    if (!tensor) {
      tensor = value.kind == tl::Kind::state ? graph.state(value.name, value.type, value.shape)
                                             : graph.input(value.name, value.type, value.shape);
    }
    inputs.push_back(tensor);
  }
  const std::vector<tl::Tensor> outputs = graph.append(*kernel.op, inputs, kernel.outputs, kernel.params);
  tl::Program program = tl::compile(
      graph, outputs, {.pool = tl::ThreadPool(static_cast<int>(state.range(0))), .precision = kernel.precision});
  for (const auto& [name, tensor] : known) {
    fill(program, graph.value(tensor.id()), inputs[0].shape().rank() > 1 ? inputs[0].shape()[1] : 0);
  }

  const tl::OpTime work = program.profile().front();
  const double arithmetic = work.flops / limits.peak(kernel.precision);
  const double traffic = work.bytes / limits.read(work.bytes);
  const double time = bench::seconds([&] {
                        for (auto _ : state) program.run();
                      }) /
                      static_cast<double>(state.iterations());
  if (work.flops > 0) state.counters["GFLOP/s"] = work.flops / time / 1e9;
  state.counters["GB/s"] = work.bytes / time / 1e9;
  state.counters[arithmetic > traffic ? "% of peak" : "% of bandwidth"] = 100 * std::max(arithmetic, traffic) / time;
}

// "linear/8x256x512,1536x512". If there are many inputs, only the first.
std::string name_of(const tl::Graph& graph, const tl::Node& node) {
  constexpr size_t kNamed = 3;
  std::vector<std::string> shapes;
  for (const int id : node.inputs) {
    const tl::Shape& shape = graph.value(id).shape;
    if (shapes.size() < kNamed) shapes.push_back(fmt::format("{}", fmt::join(shape.begin(), shape.end(), "x")));
  }
  return fmt::format("{}/{}", node.op->name, fmt::join(shapes, ","));
}

// Adds the nodes of a graph that are new, products in all precisions. Views are left out.
void collect(const tl::Graph& graph, std::map<std::string, Kernel>& kernels) {
  for (const tl::Node& node : graph.nodes()) {
    if (node.op->alias && node.inputs.size() == 1) continue;
    Kernel kernel{name_of(graph, node), tl::Precision::fp32, node.op, node.params, {}, {}};
    for (const int id : node.inputs) kernel.inputs.push_back(graph.value(id));
    for (const int id : node.outputs) kernel.outputs.push_back({graph.value(id).type, graph.value(id).shape});
    kernels.try_emplace(kernel.name, kernel);
    if (!bench::is_product(node.op->name) || !tl::is_supported(tl::Precision::bf16)) continue;
    kernel.precision = tl::Precision::bf16;
    kernel.name += "/bf16";
    kernels.try_emplace(kernel.name, kernel);
  }
}

// A pass over `rows` cached sequences, with `tokens` new tokens of each.
void collect_answering(int64_t rows, int64_t tokens, std::map<std::string, Kernel>& kernels) {
  const tl::ModelConfig config;
  tl::Graph graph;
  const int64_t width = config.context / tl::kCachePage;
  const tl::Tensor sequences = graph.input("sequences", tl::i32, {rows, tokens});
  const tl::Tensor positions = graph.input("positions", tl::i32, {rows, tokens});
  const tl::Tensor pages = graph.input("pages", tl::i32, {rows, width});
  const tl::Tensor hidden =
      tl::transformer(graph, config, {graph.input("tokens", tl::i32, {rows, tokens}), positions},
                      [&](int64_t layer, tl::Tensor q, tl::Tensor k, tl::Tensor v) {
                        const int64_t all = rows * width, heads = k.shape()[2], size = k.shape()[3];
                        return tl::cached_attention(
                            q, k, v,
                            {graph.state(fmt::format("cache.{}.k", layer), tl::f32, {all, heads, size, tl::kCachePage}),
                             graph.state(fmt::format("cache.{}.v", layer), tl::f32, {all, heads, tl::kCachePage, size}),
                             sequences, positions, pages});
                      });
  tl::lm_head(config, hidden);
  collect(graph, kernels);
}

// What other networks are made of: functions and reductions of 64 MB, and the layers of ResNet-50 for eight images.
// Source of the shapes: He et al., "Deep Residual Learning for Image Recognition", 2016.
void collect_other_networks(std::map<std::string, Kernel>& kernels) {
  tl::Graph graph;
  const tl::Tensor x = graph.input("x", tl::f32, {4096, 4096}), y = graph.input("y", tl::f32, {4096, 4096});
  for (const auto f : {tl::add, tl::sub, tl::mul, tl::div, tl::minimum, tl::maximum, tl::less}) f(x, y);
  tl::add(x, graph.input("row", tl::f32, {4096}));
  tl::add(x, graph.input("column", tl::f32, {4096, 1}));
  tl::pow(x, y);
  for (const auto f :
       {tl::neg,     tl::abs,      tl::square, tl::reciprocal, tl::sqrt,  tl::rsqrt,      tl::exp,
        tl::expm1,   tl::log,      tl::log1p,  tl::sin,        tl::cos,   tl::tanh,       tl::erf,
        tl::sigmoid, tl::softplus, tl::relu,   tl::floor,      tl::round, tl::hard_swish, tl::gelu_exact}) {
    f(x);
  }
  for (const int axis : {0, 1}) {
    tl::sum(x, axis);
    tl::max(x, {axis});
    tl::prod(x, {axis});
    tl::cumsum(x, axis);
    tl::logsumexp(x, {axis});
    tl::softmax(x, axis);
    tl::argmax(x, axis);
  }
  tl::argsort(x, 1);
  tl::transpose(x, 0, 1);

  struct Layer {
    tl::Shape image, kernel;
    int64_t stride, padding, groups;
  };
  const Layer layers[] = {
      {{8, 3, 224, 224}, {64, 3, 7, 7}, 2, 3, 1},      {{8, 64, 56, 56}, {64, 64, 3, 3}, 1, 1, 1},
      {{8, 64, 56, 56}, {256, 64, 1, 1}, 1, 0, 1},     {{8, 128, 56, 56}, {128, 128, 3, 3}, 2, 1, 1},
      {{8, 128, 28, 28}, {128, 128, 3, 3}, 1, 1, 1},   {{8, 256, 14, 14}, {256, 256, 3, 3}, 1, 1, 1},
      {{8, 1024, 14, 14}, {256, 1024, 1, 1}, 1, 0, 1}, {{8, 512, 7, 7}, {512, 512, 3, 3}, 1, 1, 1},
      {{8, 128, 28, 28}, {128, 1, 3, 3}, 1, 1, 128},
  };
  int number = 0;
  for (const Layer& layer : layers) {
    const tl::Tensor image = graph.input(fmt::format("image{}", number), tl::f32, layer.image);
    const tl::Tensor kernel = graph.input(fmt::format("kernel{}", number++), tl::f32, layer.kernel);
    const tl::Tensor made = tl::conv2d(
        image, kernel, {},
        {.stride = {layer.stride, layer.stride}, .padding = {layer.padding, layer.padding}, .groups = layer.groups});
    tl::gradients(tl::sum(made), {image, kernel});
  }
  const tl::Tensor first = graph.input("first", tl::f32, {8, 64, 112, 112});
  tl::max_pool2d(first, {{3, 3}, {2, 2}, {1, 1}});
  tl::avg_pool2d(first);
  tl::upsample_bilinear(first, {2, 2});
  collect(graph, kernels);
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, Kernel> kernels;
  for (const bench::BatchSize& size : {bench::BatchSize{8, 256}, {4, 512}}) {
    tl::ThreadPool pool(1);
    collect(bench::TrainingStep({.batch_size = size.rows, .seq_len = size.length}, pool).graph(), kernels);
  }
  for (const auto& [rows, tokens] : {std::pair<int64_t, int64_t>{1, 256}, {32, 1}, {1, 1}}) {
    collect_answering(rows, tokens, kernels);
  }
  collect_other_networks(kernels);
  std::map<int, Limits> limits;
  for (const int threads : {1, tl::hardware_threads()}) limits.try_emplace(threads, threads);
  for (const auto& named : kernels) {
    for (auto& limit : limits) {
      benchmark::RegisterBenchmark(named.first.c_str(),
                                   [&](benchmark::State& state) { run(state, named.second, limit.second); })
          ->ArgName("threads")
          ->Arg(limit.first)
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::AddCustomContext("kernels", tl::cpu_features());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
