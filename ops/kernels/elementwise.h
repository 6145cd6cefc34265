#pragma once

#include <cstdint>

// The tables of kernels that work element by element. A result may overwrite an argument of the same size. The result
// for an element is the same bits wherever the element is in the range.
namespace tinyllm::kernels {

/// An argument of a kernel: n numbers, or one that stands for n.
template <class T>
struct Operand {
  const T* data;
  bool repeated;
  Operand(const T* d, bool r = false) : data(d), repeated(r) {}
};

/// The numbers that a function has besides its argument.
struct Constants {
  float a = 0;
  float b = 0;
};

template <class X, class Y = X>
using Map = void (*)(int64_t n, const Constants& constants, const X* x, Y* y);
template <class X, class Y = X>
using Combine = void (*)(int64_t n, Operand<X> x, Operand<X> y, Y* out);
template <class X>
using Choose = void (*)(int64_t n, Operand<int32_t> condition, Operand<X> x, Operand<X> y, X* out);

/// unary.cc: y = f(x). ops/elementwise.h says which functions these are, and their values for NaN and infinity.
struct Unary {
  Map<float> neg, abs, sign, floor, round, square, reciprocal, sqrt, rsqrt;
  Map<float> exp, expm1, log, log1p, sin, cos, tanh, erf;
  Map<float> sigmoid, softplus, relu, relu_squared, hard_swish, gelu_exact;
  Map<float> leaky_relu, elu, clamp;  ///< The slope a; alpha a; from a to b.
  Map<float, int32_t> is_nan, to_i32;
  Map<int32_t> logical_not;
  Map<int32_t, float> to_f32;
};

/// unary.cc: dx = f'(x) dy, from x and dy.
struct UnaryGrad {
  using Grad = void (*)(int64_t n, const Constants& constants, const float* x, const float* dy, float* dx);
  Grad erf, relu, relu_squared, hard_swish, gelu_exact, leaky_relu, elu, clamp;
  Grad tanh, sigmoid;  ///< From y = f(x) and dy.
};

/// binary.cc
struct Binary {
  Combine<float> add, sub, mul, div, pow, minimum, maximum;
  Combine<float, int32_t> equal, not_equal, less, less_equal;
  Combine<int32_t> equal_i32, not_equal_i32, less_i32, less_equal_i32, logical_and, logical_or;
  Choose<float> where;
  Choose<int32_t> where_i32;
};

}  // namespace tinyllm::kernels
