#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

// Two arguments are broadcast as in NumPy: their shapes are aligned at the last axes, and an extent of 1, or an axis
// that one of them lacks, is repeated. [B, T, C] with [C], [T, 1] or [] gives [B, T, C]; [N, 1] with [M] gives [N, M].
// The gradient of an argument is summed to its shape. Shapes that do not broadcast are an Error. A tensor may have no
// elements.
//
// Numbers are f32 unless another type is named. Functions are those of IEEE 754 and of C's <math.h>, with a relative
// error of at most 2 units in the last place: NaN gives NaN, infinity gives the limit, the sign of a zero is kept, and
// numbers below a float's full precision are not flushed to zero. What differs is said at the function. A number gives
// the same bits wherever it is in a tensor.
//
// silu, gelu and swiglu, where models spend their time, are computed in float. The error of silu and swiglu is at most
// 4 units; that of gelu is 1.5e-6 of a result above 1e-3, and below that 1e-6. Results below 2^-126 may be 0.

// ---- Arithmetic -----------------------------------------------------------------------------------------------------

/// x + y, x - y, x * y and x / y.
Tensor add(Tensor x, Tensor y);
Tensor sub(Tensor x, Tensor y);
Tensor mul(Tensor x, Tensor y);
Tensor div(Tensor x, Tensor y);
/// The same as operators. A number is rounded to a float and is used for every element.
Tensor operator+(Tensor x, Tensor y);
Tensor operator+(Tensor x, double y);
Tensor operator+(double x, Tensor y);
Tensor operator-(Tensor x, Tensor y);
Tensor operator-(Tensor x, double y);
Tensor operator-(double x, Tensor y);
Tensor operator-(Tensor x);
Tensor operator*(Tensor x, Tensor y);
Tensor operator*(Tensor x, double y);
Tensor operator*(double x, Tensor y);
Tensor operator/(Tensor x, Tensor y);
Tensor operator/(Tensor x, double y);
Tensor operator/(double x, Tensor y);
/// factor * x.
Tensor scale(Tensor x, float factor);
/// x^y, with the special cases of C's pow: x^0 and 1^y are 1 even for NaN; a negative x needs a whole y, else the
/// result is NaN. The gradient of y is 0 where x is 0.
Tensor pow(Tensor x, Tensor y);
Tensor pow(Tensor x, double y);
/// The smaller and the larger one. NaN if one of them is NaN; x if they are equal, as 0 and -0 are. The gradient goes
/// to the one that was taken.
Tensor minimum(Tensor x, Tensor y);
Tensor maximum(Tensor x, Tensor y);

// ---- Functions ------------------------------------------------------------------------------------------------------

Tensor neg(Tensor x);
/// |x|. The gradient at 0 is 0.
Tensor abs(Tensor x);
/// 1 above 0, -1 below, and x where x is 0, -0 or NaN. The gradient is 0.
Tensor sign(Tensor x);
/// The greatest whole number that is not above x. The gradient is 0.
Tensor floor(Tensor x);
/// The nearest whole number, the even one of two. The gradient is 0.
Tensor round(Tensor x);
/// x^2, 1 / x, the root of x, and 1 / root of x. A root of a negative number is NaN.
Tensor square(Tensor x);
Tensor reciprocal(Tensor x);
Tensor sqrt(Tensor x);
Tensor rsqrt(Tensor x);
/// e^x, and e^x - 1 without loss of precision near 0.
Tensor exp(Tensor x);
Tensor expm1(Tensor x);
/// The natural logarithm, and log(1 + x) without loss of precision near 0. Minus infinity at 0 (at -1), NaN below.
Tensor log(Tensor x);
Tensor log1p(Tensor x);
/// x in radians. NaN for an infinite x.
Tensor sin(Tensor x);
Tensor cos(Tensor x);
Tensor tanh(Tensor x);
/// 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.
Tensor erf(Tensor x);
/// x where it is within [low, high], else the nearer end. The gradient is that of x within, ends included, and 0
/// outside. Throws Error unless low <= high.
Tensor clamp(Tensor x, float low, float high);

// ---- Activations ----------------------------------------------------------------------------------------------------

/// 1 / (1 + e^-x).
Tensor sigmoid(Tensor x);
/// log(1 + e^x).
Tensor softplus(Tensor x);
/// max(x, 0). The gradient at 0 is 0, as those of leaky_relu and elu are those of the side below.
Tensor relu(Tensor x);
/// max(x, 0)^2. Source: So et al., "Primer: Searching for Efficient Transformers for Language Modeling", 2021.
Tensor relu_squared(Tensor x);
/// x above 0, slope x below.
Tensor leaky_relu(Tensor x, float slope = 0.01f);
/// x above 0, alpha (e^x - 1) below.
/// Source: Clevert, Unterthiner, Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units",
/// 2016.
Tensor elu(Tensor x, float alpha = 1);
/// x min(max(x + 3, 0), 6) / 6; -0 for minus infinity. Source: Howard et al., "Searching for MobileNetV3", 2019.
Tensor hard_swish(Tensor x);
/// x/2 (1 + erf(x / sqrt(2))); -0 for minus infinity. `gelu` is its usual approximation.
Tensor gelu_exact(Tensor x);
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

// ---- Truth and types ------------------------------------------------------------------------------------------------

// A truth value is i32: a result is 0 or 1, and of an argument every number but 0 counts as true. Results have a
// gradient of 0. Comparisons are of two f32 or two i32 tensors. NaN is not equal to anything, and every other
// comparison with it is false.

Tensor equal(Tensor x, Tensor y);
Tensor not_equal(Tensor x, Tensor y);
Tensor less(Tensor x, Tensor y);
Tensor less_equal(Tensor x, Tensor y);
Tensor greater(Tensor x, Tensor y);
Tensor greater_equal(Tensor x, Tensor y);
Tensor logical_and(Tensor x, Tensor y);
Tensor logical_or(Tensor x, Tensor y);
Tensor logical_not(Tensor x);
Tensor is_nan(Tensor x);
/// x where the condition (i32) is true, else y. x and y are both f32 or both i32; all three are broadcast. What is not
/// taken has no effect, NaN included, and a gradient of 0.
Tensor where(Tensor condition, Tensor x, Tensor y);
/// x as another element type; one of the two types is f32. To f16 and bf16 as in ops/convert.h, with the gradient
/// passed on as it is. To i32: rounded towards 0; a number that does not fit becomes the nearest that does, and NaN
/// becomes 0. From i32: rounded to the nearest float. Whole numbers have no gradient. Returns x itself if it has the
/// type.
Tensor cast(Tensor x, DType to);

}  // namespace tinyllm
