#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/map.h>
#include <tinyllm/ops/kernels/math.h>

namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

// In both, a and b are the constants of the call.
template <Vf (*f)(Vf, Constants)>
void unary(int64_t n, const Constants& constants, const float* x, float* y) {
  const Constants c = constants;
  map(n, x, y, [=](Vf a) { return f(a, c); });
}
template <Vf (*f)(Vf, Vf, Constants)>
void gradient(int64_t n, const Constants& constants, const float* x, const float* dy, float* dx) {
  const Constants c = constants;
  map(n, x, dy, dx, [=](Vf a, Vf d) { return f(a, d, c); });
}

constexpr uint32_t kSign = 0x80000000;
inline Vu bits(Vf x) { return reinterpret_cast<Vu>(x); }
inline Vf magnitude(Vf x) { return reinterpret_cast<Vf>(bits(x) & ~kSign); }

// To even at halves. From 2^23 on, every float is whole.
inline Vf rounded(Vf x) {
  const Vf size = magnitude(x);
  const Vf whole = (size + 8388608.0f) - 8388608.0f;
  return size < 8388608.0f ? reinterpret_cast<Vf>(bits(whole) | (bits(x) & kSign)) : x;
}

inline Vf neg(Vf x, Constants) { return -x; }
inline Vf abs(Vf x, Constants) { return magnitude(x); }
inline Vf sign(Vf x, Constants) { return x > 0.0f ? splat(1.0f) : x < 0.0f ? splat(-1.0f) : x; }
inline Vf floor(Vf x, Constants) {
  const Vf y = rounded(x);
  return y > x ? y - 1.0f : y;
}
inline Vf round(Vf x, Constants) { return rounded(x); }
inline Vf square(Vf x, Constants) { return x * x; }
inline Vf reciprocal(Vf x, Constants) { return 1.0f / x; }
inline Vf square_root(Vf x, Constants) { return sqrt(x); }
inline Vf rsqrt(Vf x, Constants) { return 1.0f / sqrt(x); }

template <Vd (*f)(Vd)>
inline Vf of_doubles(Vf x, Constants) {
  return in_double(f, x);
}
template <int quarters>
inline Vf angle(Vf x, Constants) {
  Vf y = in_double([](Vd a) { return sine(a, quarters); }, x);
  const Vf is_large = magnitude(x) > static_cast<float>(kMaxAngle) ? splat(1.0f) : Vf{};
  if (greatest(is_large) == 0) return y;
  for (int64_t i = 0; i < kWidth; ++i) {
    if (is_large[i] == 0) continue;
    y[i] = static_cast<float>(quarters == 0 ? __builtin_sin(x[i]) : __builtin_cos(x[i]));
  }
  return y;
}

inline Vf relu(Vf x, Constants) { return greater(Vf{}, x); }
inline Vf relu_squared(Vf x, Constants c) {
  const Vf y = relu(x, c);
  return y * y;
}
inline Vf leaky_relu(Vf x, Constants c) { return x > 0.0f ? x : x * c.a; }
inline Vf elu(Vf x, Constants c) {
  return x > 0.0f ? x : in_double([=](Vd a) { return double(c.a) * expm1(a); }, x);
}
inline Vf clamp(Vf x, Constants c) { return lesser(splat(c.b), greater(splat(c.a), x)); }
// x is clamped where the other factor is 0, because infinity times 0 would be NaN.
inline Vf hard_swish(Vf x, Constants) {
  const Vf a = greater(splat(-3.0f), x);
  return a * (lesser(splat(6.0f), a + 3.0f) / 6.0f);
}
constexpr double kNormalEnd = -40;  // Further from 0, a density is 0 as a float.
inline Vf gelu_exact(Vf x, Constants) {
  return in_double(
      [](Vd a) {
        a = a < kNormalEnd ? splat(kNormalEnd) : a;
        return a * normal_cdf(a);
      },
      x);
}

// Gradients. d is dy.
inline Vf erf_grad(Vf x, Vf d, Constants) {
  return d * in_double([](Vd a) { return 1.1283791670955126 * exp(-a * a); }, x);
}
inline Vf relu_grad(Vf x, Vf d, Constants) { return x > 0.0f ? d : Vf{}; }
inline Vf relu_squared_grad(Vf x, Vf d, Constants) { return x > 0.0f ? 2.0f * x * d : Vf{}; }
inline Vf leaky_relu_grad(Vf x, Vf d, Constants c) { return x > 0.0f ? d : d * c.a; }
inline Vf elu_grad(Vf x, Vf d, Constants c) {
  return d * (x > 0.0f ? splat(1.0f) : in_double([=](Vd a) { return double(c.a) * exp(a); }, x));
}
inline Vf clamp_grad(Vf x, Vf d, Constants c) { return ((x >= c.a) & (x <= c.b)) ? d : Vf{}; }
inline Vf hard_swish_grad(Vf x, Vf d, Constants) {
  return x <= -3.0f ? Vf{} : x >= 3.0f ? d : d * ((2.0f * x + 3.0f) / 6.0f);
}
inline Vf gelu_exact_grad(Vf x, Vf d, Constants) {
  const auto slope = [](Vd a) {
    a = a < kNormalEnd ? splat(kNormalEnd) : a > -kNormalEnd ? splat(-kNormalEnd) : a;
    return normal_cdf(a) + a * normal_density(a);
  };
  return d * in_double(slope, x);
}
inline Vf tanh_grad(Vf y, Vf d, Constants) { return d * (1.0f - y * y); }
inline Vf sigmoid_grad(Vf y, Vf d, Constants) { return d * (y * (1.0f - y)); }

void is_nan(int64_t n, const Constants&, const float* x, int32_t* y) {
  map(n, x, y, [](Vf a) { return (a != a) & 1; });
}
// Rounds towards 0, to the nearest number that an i32 can be; NaN becomes 0. 2147483520 is the last float below 2^31.
void to_i32(int64_t n, const Constants&, const float* x, int32_t* y) {
  map(n, x, y, [](Vf a) {
    const Vf known = a != a ? Vf{} : lesser(splat(2147483520.0f), greater(splat(-2147483648.0f), a));
    return a >= 2147483648.0f ? splat(int32_t{2147483647}) : __builtin_convertvector(known, Vi);
  });
}
void logical_not(int64_t n, const Constants&, const int32_t* x, int32_t* y) {
  map(n, x, y, [](Vi a) { return (a == 0) & 1; });
}
void to_f32(int64_t n, const Constants&, const int32_t* x, float* y) {
  map(n, x, y, [](Vi a) { return __builtin_convertvector(a, Vf); });
}

}  // namespace

void fill_unary(Kernels& table) {
  table.unary = {
      .neg = unary<neg>,
      .abs = unary<abs>,
      .sign = unary<sign>,
      .floor = unary<floor>,
      .round = unary<round>,
      .square = unary<square>,
      .reciprocal = unary<reciprocal>,
      .sqrt = unary<square_root>,
      .rsqrt = unary<rsqrt>,
      .exp = unary<of_doubles<exp>>,
      .expm1 = unary<of_doubles<expm1>>,
      .log = unary<of_doubles<log>>,
      .log1p = unary<of_doubles<log1p>>,
      .sin = unary<angle<0>>,
      .cos = unary<angle<1>>,
      .tanh = unary<of_doubles<tanh>>,
      .erf = unary<of_doubles<erf>>,
      .sigmoid = unary<of_doubles<sigmoid>>,
      .softplus = unary<of_doubles<softplus>>,
      .relu = unary<relu>,
      .relu_squared = unary<relu_squared>,
      .hard_swish = unary<hard_swish>,
      .gelu_exact = unary<gelu_exact>,
      .leaky_relu = unary<leaky_relu>,
      .elu = unary<elu>,
      .clamp = unary<clamp>,
      .is_nan = is_nan,
      .to_i32 = to_i32,
      .logical_not = logical_not,
      .to_f32 = to_f32,
  };
  table.unary_grad = {
      .erf = gradient<erf_grad>,
      .relu = gradient<relu_grad>,
      .relu_squared = gradient<relu_squared_grad>,
      .hard_swish = gradient<hard_swish_grad>,
      .gelu_exact = gradient<gelu_exact_grad>,
      .leaky_relu = gradient<leaky_relu_grad>,
      .elu = gradient<elu_grad>,
      .clamp = gradient<clamp_grad>,
      .tanh = gradient<tanh_grad>,
      .sigmoid = gradient<sigmoid_grad>,
  };
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
