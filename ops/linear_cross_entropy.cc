#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/chunked_head.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// Everything that needs the logits of a chunk is computed while they are in memory: the loss and, if used, dx and dw
// for a loss gradient of 1. They are outputs of the forward node, because a backward node would have to compute the
// logits again. Unused outputs are not computed, so evaluation pays only for the loss. The gradient of the node is dx
// and dw, times the loss gradient if that is not 1.
namespace tinyllm {
namespace {

enum Output { kLoss, kDx, kDw };

// Scratch memory: the loss of each row, and the scratch memory of the head.
struct Scratch {
  float* losses;
  HeadScratch head;

  Scratch(const Shape& x, const Shape& w, Type type, int workers, Workspace& memory)
      : losses(memory.take<float>(x.rows())), head(x, w, type, workers, memory) {}
};

size_t workspace(const Node& node, const Graph& graph, int workers) {
  Workspace memory;
  const Value& w = graph.value(node.inputs[1]);
  Scratch(graph.value(node.inputs[0]).shape, w.shape, w.type, workers, memory);
  return memory.bytes();
}

// The loss of one row, lse - logits[target] + z lse^2. If `factor` is not 0, replaces the logits by its gradient,
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
  const int32_t* targets = launch.inputs[2].i32();
  float* dx = launch.outputs[kDx].f32();
  float* dw = launch.outputs[kDw].f32();
  const auto count =
      static_cast<double>(std::max<int64_t>(1, count_targets("linear_cross_entropy", launch.inputs[2], w[0])));
  const float z = launch.get<float>();
  const float factor = dx == nullptr && dw == nullptr ? 0.0f : static_cast<float>(1 / count);
  Workspace memory(launch.workspace);
  const Scratch scratch(x, w, launch.inputs[1].type, launch.pool->threads(), memory);
  run_chunks(launch, scratch.head, dx, dw,
             [&](int64_t i, float* logits) { scratch.losses[i] = loss_of_row(w[0], targets[i], z, factor, logits); });
  if (launch.outputs[kLoss].data == nullptr) return;
  double total = 0;
  for (int64_t i = 0; i < x.rows(); ++i) total += static_cast<double>(scratch.losses[i]);
  launch.outputs[kLoss].f32()[0] = static_cast<float>(total / count);
}

// In training: the products of the logits, dx and dw.
double flops(const Node& node, const Graph& graph) { return 3 * head_flops(node, graph); }

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
  check_head("linear_cross_entropy", x, w, targets);
  if (!(z_loss >= 0)) throw Error("linear_cross_entropy: z loss {}, expected 0 or more", z_loss);
  return x.graph().append(kLinearCrossEntropy, {x, w, targets}, {{f32, {1}}, {f32, x.shape()}, {f32, w.shape()}},
                          z_loss)[0];
}

}  // namespace tinyllm
