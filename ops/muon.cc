#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/workspace.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

namespace tinyllm {
namespace {

// The polynomial x -> a x + b x^3 + c x^5, which moves singular values from (0, 1] towards 1, to within about 0.3.
// Small ones grow fast. Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
constexpr float kA = 3.4445f, kB = -4.7750f, kC = 2.0315f;
constexpr int kIterations = 5;
constexpr float kTiny = 1e-7f;  // Avoids division by zero for a gradient of zeros.
constexpr int64_t kGrain = 16384;

// One of the matrices in a weight [N, K], and the products of an iteration. Let S be the smaller one of X X^T and X^T
// X. The polynomial is then (a + b S + c S^2) X or X (a + b S + c S^2).
struct Sizes {
  int64_t rows, columns;
  Precision precision;

  Sizes(const Shape& weight, int64_t parts, Precision p) : rows(weight[0] / parts), columns(weight[1]), precision(p) {}

  int64_t elements() const { return rows * columns; }
  int64_t inner() const { return std::min(rows, columns); }
  bool is_wide() const { return rows <= columns; }
  GemmShape gram() const {
    const int64_t k = std::max(rows, columns);
    return {.m = inner(), .n = inner(), .k = k, .trans_a = !is_wide(), .trans_b = is_wide(), .precision = precision};
  }
  GemmShape square() const { return {.m = inner(), .n = inner(), .k = inner(), .precision = precision}; }
  GemmShape apply() const { return {.m = rows, .n = columns, .k = inner(), .precision = precision}; }
};

// Scratch memory: the matrix before and after an iteration, S, its polynomial, and what products need.
struct Scratch {
  float *x, *next, *gram, *polynomial;
  std::byte* products;

  Scratch(const Sizes& sizes, int workers, Workspace& memory) {
    size_t most = 0;
    for (const GemmShape& shape : {sizes.gram(), sizes.square(), sizes.apply()}) {
      most = std::max(most, gemm_workspace(shape, workers));
    }
    x = memory.take<float>(sizes.elements());
    next = memory.take<float>(sizes.elements());
    gram = memory.take<float>(sizes.inner() * sizes.inner());
    polynomial = memory.take<float>(sizes.inner() * sizes.inner());
    products = memory.take<std::byte>(static_cast<int64_t>(most));
  }
};

// `y = a x + b y`, in pieces of fixed size.
void blend(ThreadPool& pool, int64_t n, float a, const float* x, float b, float* y) {
  const kernels::Kernels& kernel = kernels::kernels();
  parallel_ranges(pool, n, kGrain,
                  [&](int64_t begin, int64_t end) { kernel.blend(end - begin, a, x + begin, b, y + begin); });
}

// Runs the iterations on the matrix at `scratch.x`. Returns a pointer to the result.
float* orthogonalise(const Sizes& sizes, const Scratch& scratch, ThreadPool& pool) {
  auto [x, next, gram, polynomial, products] = scratch;
  const int64_t inner = sizes.inner();
  for (int i = 0; i < kIterations; ++i) {
    gemm(sizes.gram(), x, x, nullptr, gram, products, pool);
    gemm(sizes.square(), gram, gram, nullptr, polynomial, products, pool);
    blend(pool, inner * inner, kB, gram, kC, polynomial);
    for (int64_t j = 0; j < inner; ++j) polynomial[j * (inner + 1)] += kA;
    if (sizes.is_wide()) {
      gemm(sizes.apply(), polynomial, x, nullptr, next, products, pool);
    } else {
      gemm(sizes.apply(), x, polynomial, nullptr, next, products, pool);
    }
    std::swap(x, next);
  }
  return x;
}

// Inputs: param, grad, momentum, rate, factor. The output is the parameter itself.
void run(const Launch& launch) {
  const Muon& options = launch.get<Muon>();
  const Sizes sizes(launch.inputs[0].shape, options.parts, launch.precision);
  Workspace memory(launch.workspace);
  const Scratch scratch(sizes, launch.pool->threads(), memory);
  float* x = scratch.x;
  const int64_t n = sizes.elements();
  const float rate = launch.inputs[3].f32()[0];
  const float factor = launch.inputs[4].f32()[0];
  if (factor == 0) return;
  const float fresh = (1 - options.momentum) * factor;
  const float step = 0.2f * rate * std::sqrt(static_cast<float>(std::max(sizes.rows, sizes.columns)));
  const kernels::Kernels& kernel = kernels::kernels();
  for (int64_t part = 0; part < options.parts; ++part) {
    float* param = launch.inputs[0].f32() + part * n;
    const float* grad = launch.inputs[1].f32() + part * n;
    float* momentum = launch.inputs[2].f32() + part * n;
    blend(*launch.pool, n, fresh, grad, options.momentum, momentum);
    std::copy_n(momentum, n, x);
    blend(*launch.pool, n, fresh, grad, options.momentum, x);
    const float norm = static_cast<float>(std::sqrt(kernel.sum_of_squares(n, x)));
    parallel_ranges(*launch.pool, n, kGrain, [&](int64_t begin, int64_t end) {
      kernel.scale(end - begin, 1 / (norm + kTiny), x + begin, x + begin);
    });
    blend(*launch.pool, n, -step, orthogonalise(sizes, scratch, *launch.pool), 1 - rate * options.decay, param);
  }
}

size_t workspace(const Node& node, const Graph& graph, int workers) {
  const int64_t parts = std::any_cast<const Muon&>(node.params).parts;
  Workspace memory;
  Scratch(Sizes(graph.value(node.inputs[0]).shape, parts, {}), workers, memory);
  return memory.bytes();
}

double flops(const Node& node, const Graph& graph) {
  const int64_t parts = std::any_cast<const Muon&>(node.params).parts;
  const Sizes sizes(graph.value(node.inputs[0]).shape, parts, {});
  double products = 0;
  for (const GemmShape& s : {sizes.gram(), sizes.square(), sizes.apply()}) products += gemm_flops(s.m, s.n, s.k);
  return products * static_cast<double>(kIterations * parts);
}

}  // namespace

const Op kMuon{.name = "muon", .run = run, .workspace = workspace, .flops = flops, .alias = true};

Tensor muon(Tensor param, Tensor grad, Tensor momentum, Tensor rate, Tensor factor, const Muon& options) {
  check_f32("muon", {param, grad, momentum, rate, factor});
  for (const Tensor& tensor : {grad, momentum}) check_shape("muon", tensor, param.shape());
  for (const Tensor& tensor : {rate, factor}) check_shape("muon", tensor, {1});
  if (param.shape().rank() != 2 || options.parts < 1 || param.shape()[0] % options.parts != 0) {
    throw Error("muon: {} in {} parts: expected a matrix of that many equal parts", param.str(), options.parts);
  }
  return param.graph().append(kMuon, {param, grad, momentum, rate, factor}, {{f32, param.shape()}}, options)[0];
}

}  // namespace tinyllm
