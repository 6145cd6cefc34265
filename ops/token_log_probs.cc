#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/chunked_head.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// The gradients of the results are known only in the backward pass, which therefore computes the logits again.
namespace tinyllm {
namespace {

size_t workspace(const Node& node, const Graph& graph, int workers) {
  Workspace memory;
  const Value& w = graph.value(node.inputs[1]);
  HeadScratch(graph.value(node.inputs[0]).shape, w.shape, w.type, workers, memory);
  return memory.bytes();
}

// Outputs: the log-probabilities, and log(sum(exp(logits))) of each row, for the gradient.
void run(const Launch& launch) {
  const Shape& w = launch.inputs[1].shape;
  const int32_t* targets = launch.inputs[2].i32();
  float* log_probs = launch.outputs[0].f32();
  float* lse = launch.outputs[1].f32();
  count_targets("token_log_probs", launch.inputs[2], w[0]);  // Throws Error if one is not in the vocabulary.
  Workspace memory(launch.workspace);
  const HeadScratch scratch(launch.inputs[0].shape, w, launch.inputs[1].type, launch.pool->threads(), memory);
  run_chunks(launch, scratch, nullptr, nullptr, [&](int64_t i, const float* logits) {
    const bool counts = targets[i] != kIgnore;
    lse[i] = counts ? kernels::kernels().log_sum_exp(w[0], logits) : 0;
    log_probs[i] = counts ? logits[targets[i]] - lse[i] : 0;
  });
}

// d logits = (one_hot(target) - softmax(logits)) * d log_prob; zeros if the target is ignored.
void run_grad(const Launch& launch) {
  const Shape& w = launch.inputs[1].shape;
  const int32_t* targets = launch.inputs[2].i32();
  const float* lse = launch.inputs[3].f32();
  const float* grad = launch.inputs[4].f32();
  Workspace memory(launch.workspace);
  const HeadScratch scratch(launch.inputs[0].shape, w, launch.inputs[1].type, launch.pool->threads(), memory);
  run_chunks(launch, scratch, launch.outputs[0].f32(), launch.outputs[1].f32(), [&](int64_t i, float* logits) {
    if (targets[i] == kIgnore) {
      std::fill_n(logits, w[0], 0.0f);
      return;
    }
    kernels::kernels().exp_scaled(w[0], logits, lse[i], -grad[i], logits);
    logits[targets[i]] += grad[i];
  });
}

double flops_grad(const Node& node, const Graph& graph) { return 3 * head_flops(node, graph); }

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  const Tensor w = node.inputs[1];
  const std::vector<Tensor> grads =
      x.graph().append(kTokenLogProbsGrad, {x, w, node.inputs[2], node.outputs[1], node.output_grads[0]},
                       {{f32, x.shape()}, {f32, w.shape()}});
  return {grads[0], grads[1], {}};
}

}  // namespace

const Op kTokenLogProbs{
    .name = "token_log_probs", .run = run, .gradient = gradient, .workspace = workspace, .flops = head_flops};
const Op kTokenLogProbsGrad{
    .name = "token_log_probs_grad", .run = run_grad, .workspace = workspace, .flops = flops_grad, .skips_unused = true};

Tensor token_log_probs(Tensor x, Tensor w, Tensor targets) {
  check_head("token_log_probs", x, w, targets);
  return x.graph().append(kTokenLogProbs, {x, w, targets}, {{f32, targets.shape()}, {f32, targets.shape()}})[0];
}

}  // namespace tinyllm
