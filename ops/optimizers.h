#pragma once

#include <tinyllm/tensor/graph.h>

#include <vector>

namespace tinyllm {

/// total = keep * total + factor * x, in place: sums gradients of the parts of a batch, or keeps a moving average.
/// total (a state) and x of one shape, factor [1]. Returns the total; pass it to `compile` as an output. Not
/// differentiable.
Tensor accumulate(Tensor total, Tensor x, Tensor factor, float keep = 1);

/// norm = sqrt(sum of all squares of all gradients), and factor = min(1, max_norm / (norm + 1e-6)), both [1]; factor is
/// 0 if the norm is not finite. Multiplying the gradients by `factor` clips them to `max_norm`. adamw and muon do this,
/// and change nothing if it is 0. The sum is in double. Source: Pascanu, Mikolov, Bengio, "On the difficulty of
/// training recurrent neural networks", 2013.
struct ClippedNorm {
  Tensor norm;
  Tensor factor;
};
ClippedNorm clip_by_global_norm(const std::vector<Tensor>& grads, float max_norm);

struct AdamW {
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float decay = 0.01f;
};
/// One step in place, with g = factor * grad and t = step counted from 1:
///   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
///   param -= rate * decay * param;  param -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
/// param, grad, m, v of one shape (m and v are states); step i32 [1]; rate and factor f32 [1]. Returns the updated
/// parameter; pass it to `compile` as an output. Source: Loshchilov and Hutter, "Decoupled Weight Decay
/// Regularization", 2019. With a decay of 0 this is Adam: Kingma and Ba, "Adam: A Method for Stochastic Optimization",
/// 2015.
Tensor adamw(Tensor param, Tensor grad, Tensor m, Tensor v, Tensor step, Tensor rate, Tensor factor,
             const AdamW& options);

struct Sgd {
  float momentum = 0.9f;
  float decay = 0;
  bool nesterov = false;
};
/// One step in place, with g = factor * grad + decay * param and b = momentum:
///   m = b m + g;  param -= rate * m, or with `nesterov` param -= rate * (b m + g)
/// param, grad and momentum (m, a state) of one shape; rate and factor f32 [1]. A factor of 0 changes nothing. Returns
/// the updated parameter; pass it to `compile` as an output. Source: Sutskever et al., "On the importance of
/// initialization and momentum in deep learning", 2013.
Tensor sgd(Tensor param, Tensor grad, Tensor momentum, Tensor rate, Tensor factor, const Sgd& options);

struct Lion {
  float beta1 = 0.9f;
  float beta2 = 0.99f;
  float decay = 0.1f;
};
/// One step in place, with g = factor * grad:
///   param -= rate * (decay * param + sign(b1 m + (1 - b1) g));  m = b2 m + (1 - b2) g
/// The sign of 0 is 0. param, grad and m (a state) of one shape; rate and factor f32 [1]. A factor of 0 changes
/// nothing. Steps are larger than AdamW's: the paper takes a rate 3 to 10 times smaller. Returns the updated parameter;
/// pass it to `compile` as an output. Source: Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023.
Tensor lion(Tensor param, Tensor grad, Tensor m, Tensor rate, Tensor factor, const Lion& options);

struct Adafactor {
  float decay_power = 0.8f;   ///< Averages keep 1 - t^-decay_power of the past.
  float eps = 1e-30f;         ///< Added to squares of gradients.
  float clip = 1;             ///< The greatest root mean square of an update.
  bool relative = true;       ///< Steps are in proportion to the parameter: its root mean square, but at least
  float least_scale = 1e-3f;  ///< this.
  float decay = 0;
};
/// One step in place, with second moments of the size of a row and a column instead of a matrix. With g = factor *
/// grad, t = step counted from 1 and b = 1 - t^-decay_power:
///   rows = b rows + (1 - b) mean over columns of (g^2 + eps), and columns likewise over rows
///   u = g / sqrt(rows columns / mean(rows));  u /= max(1, rms(u) / clip)
///   param = (1 - rate * decay) param - rate * max(least_scale, rms(param)) u, without max(...) unless `relative`
/// where rms(param) is that before the step. param and grad [N, K], rows [N] and columns [K] states; or param, grad and
/// rows [N] and no columns, and then u = g / sqrt(rows). step i32 [1]; rate and factor f32 [1]. A factor of 0 changes
/// nothing. Returns the updated parameter; pass it to `compile` as an output. Source: Shazeer and Stern, "Adafactor:
/// Adaptive Learning Rates with Sublinear Memory Cost", 2018.
Tensor adafactor(Tensor param, Tensor grad, Tensor rows, Tensor columns, Tensor step, Tensor rate, Tensor factor,
                 const Adafactor& options);

struct Muon {
  float momentum = 0.95f;
  float decay = 0.1f;
  int64_t parts = 1;  ///< Matrices that are stacked in `param`. Each is made orthogonal separately.
};
/// One step in place for a matrix [N, K], with g = factor * grad and b = momentum:
///   m = b m + (1 - b) g;  u = b m + (1 - b) g;  o = u made nearly orthogonal (its singular values nearly 1)
///   param -= rate * decay * param;  param -= rate * 0.2 sqrt(max(N / parts, K)) o
/// The last factor gives steps the size of AdamW's, so that both can share a rate and a decay. param, grad and
/// momentum (a state) of one shape; rate and factor f32 [1]. Products are in the precision passed to `compile`. Returns
/// the updated parameter; pass it to `compile` as an output. Sources: Jordan et al., "Muon: An optimizer for hidden
/// layers in neural networks", 2024; the step's size from Liu et al., "Muon is Scalable for LLM Training", 2025.
Tensor muon(Tensor param, Tensor grad, Tensor momentum, Tensor rate, Tensor factor, const Muon& options);

}  // namespace tinyllm
