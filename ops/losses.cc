#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/targets.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

void check_pair(const char* op, const Tensor& x, const Tensor& y) {
  check_f32(op, {x, y});
  check_shape(op, y, x.shape());
}

}  // namespace

Tensor mse(Tensor x, Tensor y) {
  check_pair("mse", x, y);
  return mean(square(x - y));
}

// With m = min(d, beta), both branches are m (d - m / 2) / beta.
Tensor smooth_l1(Tensor x, Tensor y, float beta) {
  check_pair("smooth_l1", x, y);
  if (!(beta > 0)) throw Error("smooth_l1: beta {}, expected more than 0", beta);
  const Tensor distance = abs(x - y);
  const Tensor near = clamp(distance, 0, beta);
  return scale(mean(near * (distance - scale(near, 0.5f))), 1 / beta);
}

Tensor binary_cross_entropy_with_logits(Tensor x, Tensor y) {
  check_pair("binary_cross_entropy_with_logits", x, y);
  return mean(y * softplus(-x) + (1 - y) * softplus(x));
}

Tensor kl_div(Tensor log_q, Tensor p) {
  check_pair("kl_div", log_q, p);
  if (p.shape().rank() < 1 || p.shape().rows() < 1) throw Error("kl_div: p {}: expected [..., C] with rows", p.str());
  // Where p is 0, neither its logarithm nor that of q must reach the sum or a gradient: both may be infinite.
  Graph& graph = p.graph();
  const Tensor is_zero = equal(p, graph.constant(0, {1}));
  const Tensor log_p = log(where(is_zero, graph.constant(1, {1}), p));
  const Tensor log_ratio = where(is_zero, graph.constant(0, {1}), log_p - log_q);
  return sum(p * log_ratio) / static_cast<double>(p.shape().rows());
}

Tensor nll(Tensor log_probs, Tensor targets) {
  check_f32("nll", {log_probs});
  check_i32("nll", {targets});
  if (!is_one_for_each_row(log_probs.shape(), targets.shape())) {
    throw Error("nll: log_probs {} and targets {}: expected [..., V] and [...]", log_probs.str(), targets.str());
  }
  Graph& graph = log_probs.graph();
  const Tensor counts = not_equal(targets, cast(graph.constant(kIgnore, {1}), i32));
  const Tensor index = where(counts, targets, cast(graph.constant(0, {1}), i32));
  const Tensor picked = squeeze(gather(log_probs, -1, unsqueeze(index, -1)), -1);
  const Tensor kept = where(counts, picked, graph.constant(0, {1}));
  return neg(sum(kept)) / maximum(sum(cast(counts, f32)), graph.constant(1, {1}));
}

}  // namespace tinyllm
