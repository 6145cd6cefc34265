#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// x + y. y has x's shape, or is one row of it (its shape is the tail of x's), or a single element [1].
Tensor add(Tensor x, Tensor y);
/// x * y, with y as in `add`.
Tensor mul(Tensor x, Tensor y);
/// factor * x.
Tensor scale(Tensor x, float factor);
/// The elements that a dropout keeps are a pure function of (seed, step, position of the op in its graph, index of the
/// element). kernels/random.h defines it.
struct Dropout {
  float p = 0;  ///< Probability of a zero, in [0, 1); rounded to a multiple of 2^-16.
  uint64_t seed = 0;
  Tensor step = {};  ///< i32 [1]. Empty: no dropout.
};
/// x * mask / (1 - p), where mask is 0 with probability p, else 1. Returns x itself when there is nothing to drop.
Tensor dropout(Tensor x, const Dropout& options);
/// dropout(x / (1 + exp(-x))). Source: Elfwing, Uchibe, Doya, "Sigmoid-Weighted Linear Units", 2017.
Tensor silu(Tensor x, const Dropout& dropout = {});
/// dropout(x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))).
/// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
Tensor gelu(Tensor x, const Dropout& dropout = {});
/// silu(g) * u of the two halves of the innermost axis: x = (g, u) [..., 2 F] -> [..., F].
/// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
Tensor swiglu(Tensor x);

}  // namespace tinyllm
