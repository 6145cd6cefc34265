#pragma once

#include <tinyllm/ops/kernels/simd.h>

// Functions of vectors of doubles, whose results are rounded to floats. A float has 29 bits less than a double, so
// short series are enough, nothing overflows on the way, and numbers below a float's full precision need no special
// case. A relative error of 1e-9 here is an error of 0.51 units in the last place of the float.
namespace tinyllm::kernels::TINYLLM_ISA {

using Vh = float __attribute__((vector_size(kWidth * 2)));    // kWidth / 2 floats.
using Vl = int64_t __attribute__((vector_size(kWidth * 4)));  // What a comparison of doubles gives.

inline Vd splat(double x) { return x - Vd{}; }
inline Vd from_bits(Vul x) { return reinterpret_cast<Vd>(x); }
inline Vul bits_of(Vd x) { return reinterpret_cast<Vul>(x); }

inline Vd fma(Vd a, Vd b, Vd c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vd>(
      _mm512_fmadd_pd(reinterpret_cast<__m512d>(a), reinterpret_cast<__m512d>(b), reinterpret_cast<__m512d>(c)));
#elif defined(__FMA__)
  return reinterpret_cast<Vd>(
      _mm256_fmadd_pd(reinterpret_cast<__m256d>(a), reinterpret_cast<__m256d>(b), reinterpret_cast<__m256d>(c)));
#else
  return a * b + c;
#endif
}

/// f(x), or f(x, y), computed in double.
template <class F, class... X>
inline Vf in_double(F f, X... x) {
  Vh halves[2];
  for (int i = 0; i < 2; ++i) {
    const auto half = [i](Vf v) {
      Vh parts[2];
      __builtin_memcpy(parts, &v, sizeof v);
      return __builtin_convertvector(parts[i], Vd);
    };
    halves[i] = __builtin_convertvector(f(half(x)...), Vh);
  }
  Vf result;
  __builtin_memcpy(&result, halves, sizeof result);
  return result;
}

/// c[0] + c[1] x + c[2] x^2 + ...
template <int n>
inline Vd polynomial(Vd x, const double (&c)[n]) {
  Vd y = splat(c[n - 1]);
  for (int i = n - 2; i >= 0; --i) y = fma(y, x, splat(c[i]));
  return y;
}

constexpr double kInfinity = __builtin_inf();
constexpr double kNan = __builtin_nan("");
constexpr double kLn2 = 0.69314718055994531;
constexpr uint64_t kSignBit = uint64_t{1} << 63;

inline Vd abs(Vd x) { return from_bits(bits_of(x) & ~kSignBit); }
/// |x| with the sign of s.
inline Vd copy_sign(Vd x, Vd s) { return from_bits((bits_of(x) & ~kSignBit) | (bits_of(s) & kSignBit)); }

/// Adding it rounds a double to a whole number, which is then in the low bits.
constexpr double kShift = 6755399441055744.0;  // 1.5 * 2^52.

/// e^x = scale + scale p, with x = n ln 2 + r, scale = 2^n, |r| <= ln 2 / 2, and p = e^r - 1 by its Taylor series to
/// the 8th power (remainder below 2e-10). Beyond 700 the result is that of 700: as a float, it is infinity or 0.
struct Exp {
  Vd scale, p;
};
inline Exp split_exp(Vd x) {
  x = x > 700.0 ? splat(700.0) : x;
  x = x < -700.0 ? splat(-700.0) : x;
  const Vd shifted = fma(x, splat(1 / kLn2), splat(kShift));
  const Vd r = fma(shifted - kShift, splat(-kLn2), x);
  const Vd series = polynomial(r, {1.0, 1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320});
  return {from_bits((bits_of(shifted) << 52) + (uint64_t{1023} << 52)), r * series};
}
inline Vd exp(Vd x) {
  const Exp e = split_exp(x);
  return fma(e.scale, e.p, e.scale);
}
inline Vd expm1(Vd x) {
  const Exp e = split_exp(x);
  return x == 0.0 ? x : fma(e.scale, e.p, e.scale - 1.0);  // Keeps -0.
}

/// x = 2^n (1 + f), for a normal x above 0, with 1 + f from sqrt(1/2) to sqrt(2).
struct Parts {
  Vd n, f;
};
inline Parts decompose(Vd x) {
  constexpr uint64_t kBias = 1024, kRootHalf = 0x3FE6A09E667F3BCD, kTwo52 = uint64_t{0x433} << 52;
  const Vul n = (bits_of(x) - kRootHalf + (kBias << 52)) >> 52;
  return {from_bits(n | kTwo52) - (0x1p52 + double(kBias)), from_bits(bits_of(x) - ((n - kBias) << 52)) - 1.0};
}
/// log(2^n (1 + f)) = n ln 2 + 2 artanh(s), s = f / (2 + f), by its series to s^11 (remainder below 1e-10, relative).
inline Vd log(Parts x) {
  const Vd s = x.f / (x.f + 2.0);
  const Vd series = polynomial(s * s, {2.0, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11});
  return fma(x.n, splat(kLn2), s * series);
}
/// y = log(x) where x is above 0 and finite; elsewhere what log(x) is.
inline Vd log_at_ends(Vd x, Vd y) {
  y = x == 0.0 ? splat(-kInfinity) : y;
  y = x == kInfinity ? x : y;
  return x >= 0.0 ? y : splat(kNan);
}
inline Vd log(Vd x) { return log_at_ends(x, log(decompose(x))); }
inline Vd log1p(Vd x) {
  Parts parts = decompose(x + 1.0);
  parts.f = parts.n == 0.0 ? x : parts.f;                  // Exact, where 1 + x is rounded.
  return x == 0.0 ? x : log_at_ends(x + 1.0, log(parts));  // Keeps -0.
}

/// sin(x + quarters pi / 2) for |x| <= kMaxAngle. x = n pi/2 + r, with pi/2 as the sum of 33 bits, whose product with n
/// is exact, and of a double. Then the Taylor series of sin r or cos r, |r| <= pi / 4 (remainder below 2e-10).
constexpr double kMaxAngle = 100000;
inline Vd sine(Vd x, uint64_t quarters) {
  const Vd shifted = fma(x, splat(0x1.45f306dc9c883p-1), splat(kShift));
  const Vd n = shifted - kShift;
  const Vd r = fma(n, splat(-0x1.0b4611a626331p-34), fma(n, splat(-0x1.921fb544p+0), x));
  const Vd z = r * r;
  const Vd sine = r * polynomial(z, {1.0, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800});
  const Vd cosine = polynomial(z, {1.0, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800});
  const Vul quadrant = bits_of(shifted) + quarters;
  const Vd y = (quadrant & 1) != 0 ? cosine : sine;
  return from_bits(bits_of(y) ^ (quadrant & 2) << 62);
}

inline Vd sigmoid(Vd x) { return 1.0 / (1.0 + exp(-x)); }
inline Vd tanh(Vd x) {
  const Vd e = expm1(2.0 * abs(x));
  return copy_sign(e / (e + 2.0), x);
}
inline Vd softplus(Vd x) { return (x > 0.0 ? x : Vd{}) + log1p(exp(-abs(x))); }

/// 1 - erf(x) = exp(-x^2) P(t), t = 4 / (4 + x), for x >= 0. P is a Chebyshev fit, for x up to 11, of relative error
/// 3.2e-10; the result for a larger x is 0 as a float.
inline Vd erfc(Vd x) {
  const Vd t = 4.0 / (x + 4.0);
  const Vd p = polynomial(t, {2.5937481691066443e-5, 0.14038755660006856, 0.14861619220191722, 0.084908224369943355,
                              0.36225614908995655, -0.62599981309250801, 1.7701538679021343, -2.6158846411303702,
                              3.1261037760752939, -2.2970907748926763, 1.1143562706247003, -0.20783274538822158});
  return exp(-x * x) * p;
}
/// Up to 1/2 by the Taylor series to x^15 (remainder below 3e-11, relative).
inline Vd erf(Vd x) {
  const Vd z = x * x;
  const Vd series =
      polynomial(z, {1.1283791670955126, -0.37612638903183752, 0.11283791670955126, -0.026866170645131252,
                     0.0052239776254421878, -0.00085483270234508528, 0.00012055332981789664, -1.4925650358406251e-5});
  return z <= 0.25 ? x * series : copy_sign(1.0 - erfc(abs(x)), x);
}
/// The standard normal distribution, of relative error 1e-9 in its tail too, and its density.
inline Vd normal_cdf(Vd x) {
  const Vd tail = 0.5 * erfc(abs(x) * 0.70710678118654752);
  return x < 0.0 ? tail : 1.0 - tail;
}
inline Vd normal_density(Vd x) { return 0.39894228040143268 * exp(-0.5 * x * x); }

/// |x|^y = exp(y log |x|), with the special cases of C's pow.
inline Vd pow(Vd x, Vd y) {
  const Vd size = abs(x);
  const Vd whole = abs(y) < 0x1p52 ? (abs(y) + 0x1p52) - 0x1p52 : abs(y);
  const Vd half = 0.5 * whole;
  const Vl is_whole = whole == abs(y);
  const Vl is_odd = is_whole & (half < 0x1p51) & (((half + 0x1p52) - 0x1p52) != half);
  Vd z = exp(y * log(size));
  z = from_bits(bits_of(z) ^ (bits_of(x) & kSignBit & reinterpret_cast<Vul>(is_odd)));
  z = ((x < 0.0) & (size < kInfinity) & ~is_whole) ? splat(kNan) : z;
  const Vl is_one = (y == 0.0) | (x == 1.0) | ((x == -1.0) & (abs(y) == kInfinity));
  return is_one ? splat(1.0) : z;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
