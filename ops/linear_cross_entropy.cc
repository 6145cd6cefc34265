#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/targets.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/arena.h>

// The logits of a chunk of rows live in scratch memory, and all that needs them happens while they are there. That is
// the loss and, where asked for, dx and dw for a loss gradient of 1: they are outputs of the forward node, because a
// backward node would have to compute the logits again. Outputs that nothing uses are left out, so evaluation pays for
// the loss alone; and the gradient of the node is dx and dw as they are, times the loss gradient where it is not 1.
namespace tinyllm {
namespace {

// Long enough that reading and writing all of dw, and packing w, once a chunk are little beside the products.
constexpr int64_t kChunk = 512;

enum Output { kLoss, kDx, kDw };

struct Products {
  GemmShape logits, dx, dw;

  Products(int64_t rows, int64_t v, int64_t c, Precision precision = Precision::fp32)
      : logits{.m = rows, .n = v, .k = c, .trans_b = true, .precision = precision},
        dx{.m = rows, .n = c, .k = v, .precision = precision},
        dw{.m = v, .n = c, .k = rows, .trans_a = true, .precision = precision} {}
};

// Scratch memory: the logits of a chunk, the loss of each of its rows, and what the products need.
struct Scratch {
  size_t logits, losses, products;

  Scratch(const Shape& x, const Shape& w, int workers) {
    const int64_t rows = std::min(kChunk, x.rows());
    logits = aligned(static_cast<size_t>(rows * w[0]) * sizeof(float));
    losses = aligned(static_cast<size_t>(rows) * sizeof(float));
    products = 0;
    for (const int64_t chunk : {rows, x.rows() % kChunk}) {
      if (chunk == 0) continue;
      const Products shapes(chunk, w[0], w[1]);
      for (const GemmShape& shape : {shapes.logits, shapes.dx, shapes.dw}) {
        products = std::max(products, gemm_workspace(shape, workers));
      }
    }
  }
};

size_t workspace(const Node& node, const Graph& graph, int workers) {
  const Scratch scratch(graph.value(node.inputs[0]).shape, graph.value(node.inputs[1]).shape, workers);
  return scratch.logits + scratch.losses + scratch.products;
}

// The loss of one row, lse - logits[target] + z lse^2; where `factor` is not 0, its logits become the gradient of that,
// (softmax(logits) (1 + 2 z lse) - one_hot(target)) * factor.
float loss_of_row(int64_t v, int32_t target, float z, float factor, float* logits) {
  if (target == kIgnore) {
    if (factor != 0) std::fill_n(logits, v, 0.0f);
    return 0;
  }
  const float lse = kernels::kernels().log_sum_exp(v, logits);
  const float loss = lse - logits[target] + z * lse * lse;
  if (factor != 0) {
    kernels::kernels().exp_scaled(v, logits, lse, factor * (1 + 2 * z * lse), logits);
    logits[target] -= factor;
  }
  return loss;
}

void run(const Launch& launch) {
  const Shape& x = launch.inputs[0].shape;
  const Shape& w = launch.inputs[1].shape;
  const int64_t v = w[0];
  const int64_t c = w[1];
  float* dx = launch.outputs[kDx].f32();
  float* dw = launch.outputs[kDw].f32();
  const auto count =
      static_cast<double>(std::max<int64_t>(1, count_targets("linear_cross_entropy", launch.inputs[2], v)));
  const float z = launch.get<float>();
  const float factor = dx == nullptr && dw == nullptr ? 0.0f : static_cast<float>(1 / count);
  const Scratch scratch(x, w, launch.pool->threads());
  auto* memory = static_cast<std::byte*>(launch.workspace);
  auto* logits = reinterpret_cast<float*>(memory);
  auto* losses = reinterpret_cast<float*>(memory + scratch.logits);
  void* products = memory + scratch.logits + scratch.losses;

  double total = 0;
  if (dw != nullptr && x.rows() == 0) std::fill_n(dw, w.size(), 0.0f);
  for (int64_t first = 0; first < x.rows(); first += kChunk) {
    const int64_t rows = std::min(kChunk, x.rows() - first);
    const float* rows_x = launch.inputs[0].f32() + first * c;
    const int32_t* targets = launch.inputs[2].i32() + first;
    Products shapes(rows, v, c, launch.precision);
    gemm(shapes.logits, rows_x, launch.inputs[1].f32(), nullptr, logits, products, *launch.pool);
    parallel_ranges(*launch.pool, rows, row_grain(v), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) losses[i] = loss_of_row(v, targets[i], z, factor, logits + i * v);
    });
    for (int64_t i = 0; i < rows; ++i) total += static_cast<double>(losses[i]);
    if (dx != nullptr) {
      gemm(shapes.dx, logits, launch.inputs[1].f32(), nullptr, dx + first * c, products, *launch.pool);
    }
    if (dw != nullptr) {
      shapes.dw.accumulate = first > 0;
      gemm(shapes.dw, logits, rows_x, nullptr, dw, products, *launch.pool);
    }
  }
  if (launch.outputs[kLoss].data != nullptr) launch.outputs[kLoss].f32()[0] = static_cast<float>(total / count);
}

// In training: of the logits, dx and dw.
double flops(const Node& node, const Graph& graph) {
  const Shape& w = graph.value(node.inputs[1]).shape;
  return 3 * gemm_flops(graph.value(node.inputs[0]).shape.rows(), w[0], w[1]);
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor dloss = node.output_grads[kLoss];
  if (!dloss || node.output_grads[kDx] || node.output_grads[kDw]) {
    throw Error("gradients: {} has no second derivative", node.outputs[kLoss].str());
  }
  const Value& value = dloss.graph().value(dloss.id());
  if (value.kind == Kind::constant && value.fill == 1.0f) return {node.outputs[kDx], node.outputs[kDw], {}};
  return {mul(node.outputs[kDx], dloss), mul(node.outputs[kDw], dloss), {}};
}

}  // namespace

const Op kLinearCrossEntropy{.name = "linear_cross_entropy",
                             .run = run,
                             .gradient = gradient,
                             .workspace = workspace,
                             .flops = flops,
                             .skips_unused = true};

Tensor linear_cross_entropy(Tensor x, Tensor w, Tensor targets, float z_loss) {
  check_f32("linear_cross_entropy", {x, w});
  check_i32("linear_cross_entropy", {targets});
  if (!is_one_for_each_row(x.shape(), targets.shape()) || w.shape().rank() != 2 || w.shape()[0] < 1 ||
      w.shape()[1] != x.shape().row()) {
    throw Error("linear_cross_entropy: x {}, w {} and targets {}: expected x [..., C], w [V, C] and targets [...]",
                x.str(), w.str(), targets.str());
  }
  if (!(z_loss >= 0)) throw Error("linear_cross_entropy: z loss {}, expected 0 or more", z_loss);
  return x.graph().append(kLinearCrossEntropy, {x, w, targets}, {{f32, {1}}, {f32, x.shape()}, {f32, w.shape()}},
                          z_loss)[0];
}

}  // namespace tinyllm
