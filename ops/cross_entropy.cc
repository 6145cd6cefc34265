#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/targets.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// Outputs: the mean loss; log(sum(exp)) of every row and the number of targets that count, for the gradient.
void run(const Launch& launch) {
  const View& logits = launch.inputs[0];
  const int32_t* targets = launch.inputs[1].i32();
  const int64_t rows = logits.shape.rows();
  const int64_t v = logits.shape.row();
  float* lse = launch.outputs[1].f32();
  const int64_t count = count_targets("cross_entropy", launch.inputs[1], v);
  parallel_ranges(*launch.pool, rows, row_grain(v), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      lse[i] = targets[i] == kIgnore ? 0.0f : kernels::kernels().log_sum_exp(v, logits.f32() + i * v);
    }
  });
  double total = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (targets[i] != kIgnore) total += static_cast<double>(lse[i] - logits.f32()[i * v + targets[i]]);
  }
  launch.outputs[0].f32()[0] = count == 0 ? 0.0f : static_cast<float>(total / static_cast<double>(count));
  launch.outputs[2].f32()[0] = static_cast<float>(count);
}

// d logits = (softmax(logits) - one_hot(target)) * d loss / count; zeros if the target is ignored.
void run_grad(const Launch& launch) {
  const View& logits = launch.inputs[0];
  const int32_t* targets = launch.inputs[1].i32();
  const float* lse = launch.inputs[2].f32();
  const float factor = launch.inputs[4].f32()[0] / std::max(1.0f, launch.inputs[3].f32()[0]);
  const int64_t v = logits.shape.row();
  parallel_ranges(*launch.pool, logits.shape.rows(), row_grain(v), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* out = launch.outputs[0].f32() + i * v;
      if (targets[i] == kIgnore) {
        std::fill_n(out, v, 0.0f);
        continue;
      }
      kernels::kernels().exp_scaled(v, logits.f32() + i * v, lse[i], factor, out);
      out[targets[i]] -= factor;
    }
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor logits = node.inputs[0];
  return {logits.graph().append(kCrossEntropyGrad,
                                {logits, node.inputs[1], node.outputs[1], node.outputs[2], node.output_grads[0]},
                                {{f32, logits.shape()}})[0],
          {}};
}

}  // namespace

const Op kCrossEntropy{.name = "cross_entropy", .run = run, .gradient = gradient};
const Op kCrossEntropyGrad{.name = "cross_entropy_grad", .run = run_grad, .in_place = 1};

Tensor cross_entropy(Tensor logits, Tensor targets) {
  check_f32("cross_entropy", {logits});
  check_i32("cross_entropy", {targets});
  const Shape& shape = logits.shape();
  if (!is_one_for_each_row(shape, targets.shape())) {
    throw Error("cross_entropy: logits {} and targets {}: expected [..., V] and [...]", logits.str(), targets.str());
  }
  return logits.graph().append(kCrossEntropy, {logits, targets}, {{f32, {1}}, {f32, {shape.rows()}}, {f32, {1}}})[0];
}

}  // namespace tinyllm
