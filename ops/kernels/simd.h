#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <immintrin.h>
#elif defined(__ARM_NEON)
#include <arm_neon.h>
#endif

// The vector type of the kernels: as many floats as a register of this instruction set holds. It uses the vector
// extensions of GCC and Clang, and intrinsics only for what these cannot express.
//
// Everything is in the namespace of the instruction set, and no kernel calls inline functions of the standard library.
// Such a function would be compiled for AVX-512 in one file, and the linker might use that copy everywhere.
#ifndef TINYLLM_ISA
#error "kernels are compiled once for each instruction set, with TINYLLM_ISA naming it"
#endif

namespace tinyllm::kernels::TINYLLM_ISA {

#if defined(__AVX512F__)
inline constexpr int64_t kWidth = 16;
#elif defined(__AVX2__)
inline constexpr int64_t kWidth = 8;
#else
inline constexpr int64_t kWidth = 4;
#endif

using Vf = float __attribute__((vector_size(kWidth * 4)));
using Vi = int32_t __attribute__((vector_size(kWidth * 4)));
using Vu = uint32_t __attribute__((vector_size(kWidth * 4)));
using Vd = double __attribute__((vector_size(kWidth * 4)));     // kWidth / 2 doubles.
using Vul = uint64_t __attribute__((vector_size(kWidth * 4)));  // kWidth / 2 words of 64 bits.

inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

inline Vf load(const float* p) {
  Vf x;
  __builtin_memcpy(&x, p, sizeof x);
  return x;
}
inline void store(float* p, Vf x) { __builtin_memcpy(p, &x, sizeof x); }
#if defined(__AVX2__) && !defined(__AVX512F__)
inline __m256i first_lanes(int64_t n) {
  const Vi lanes = {0, 1, 2, 3, 4, 5, 6, 7};
  return reinterpret_cast<__m256i>(lanes < static_cast<int32_t>(n));
}
#endif
/// The first n elements of a vector, n <= kWidth. The others are zeros, and their memory is not touched.
inline Vf load(const float* p, int64_t n) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << n) - 1), p));
#elif defined(__AVX2__)
  return reinterpret_cast<Vf>(_mm256_maskload_ps(p, first_lanes(n)));
#else
  Vf x = {};
  __builtin_memcpy(&x, p, static_cast<size_t>(n) * sizeof(float));
  return x;
#endif
}
inline void store(float* p, Vf x, int64_t n) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), reinterpret_cast<__m512>(x));
#elif defined(__AVX2__)
  _mm256_maskstore_ps(p, first_lanes(n), reinterpret_cast<__m256>(x));
#else
  __builtin_memcpy(p, &x, static_cast<size_t>(n) * sizeof(float));
#endif
}

inline Vf splat(float x) { return x - Vf{}; }

/// a b + c, rounded once if the instruction set has fused multiply-add.
inline Vf fma(Vf a, Vf b, Vf c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(
      _mm512_fmadd_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#elif defined(__FMA__)
  return reinterpret_cast<Vf>(
      _mm256_fmadd_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
#elif defined(__ARM_NEON)
  return reinterpret_cast<Vf>(
      vfmaq_f32(reinterpret_cast<float32x4_t>(c), reinterpret_cast<float32x4_t>(a), reinterpret_cast<float32x4_t>(b)));
#else
  return a * b + c;
#endif
}

/// a > b ? a : b, and a < b ? a : b. If one is NaN, the result is b.
inline Vf greater(Vf a, Vf b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(_mm512_max_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vf>(_mm256_max_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vf>(_mm_max_ps(reinterpret_cast<__m128>(a), reinterpret_cast<__m128>(b)));
#else
  return a > b ? a : b;
#endif
}
inline Vf lesser(Vf a, Vf b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(_mm512_min_ps(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vf>(_mm256_min_ps(reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b)));
#elif defined(__SSE2__)
  return reinterpret_cast<Vf>(_mm_min_ps(reinterpret_cast<__m128>(a), reinterpret_cast<__m128>(b)));
#else
  return a < b ? a : b;
#endif
}

inline Vf sqrt(Vf x) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(_mm512_sqrt_ps(reinterpret_cast<__m512>(x)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vf>(_mm256_sqrt_ps(reinterpret_cast<__m256>(x)));
#else
  for (int64_t i = 0; i < kWidth; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

inline float sum(Vf x) {
  using V4 = float __attribute__((vector_size(16)));
  V4 parts[kWidth / 4];
  __builtin_memcpy(parts, &x, sizeof x);
  for (int64_t i = 1; i < kWidth / 4; ++i) parts[0] += parts[i];
  return (parts[0][0] + parts[0][2]) + (parts[0][1] + parts[0][3]);
}
inline float greatest(Vf x) {
  using V4 = float __attribute__((vector_size(16)));
  V4 parts[kWidth / 4];
  __builtin_memcpy(parts, &x, sizeof x);
  for (int64_t i = 1; i < kWidth / 4; ++i) parts[0] = parts[i] > parts[0] ? parts[i] : parts[0];
  const float even = parts[0][0] > parts[0][2] ? parts[0][0] : parts[0][2];
  const float odd = parts[0][1] > parts[0][3] ? parts[0][1] : parts[0][3];
  return even > odd ? even : odd;
}

/// Interleaves the elements of two vectors: of their first halves, and of their second halves.
inline Vf interleave_low(Vf a, Vf b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
#else
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
#endif
}
inline Vf interleave_high(Vf a, Vf b) {
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
}

/// Transposes a square of kWidth vectors by log2(kWidth) perfect shuffles of its two halves.
inline void transpose(Vf (&rows)[kWidth]) {
#pragma GCC unroll 4
  for (int64_t doubled = 1; doubled < kWidth; doubled *= 2) {
    Vf shuffled[kWidth];
#pragma GCC unroll 8
    for (int64_t i = 0; i < kWidth / 2; ++i) {
      shuffled[2 * i] = interleave_low(rows[i], rows[i + kWidth / 2]);
      shuffled[2 * i + 1] = interleave_high(rows[i], rows[i + kWidth / 2]);
    }
#pragma GCC unroll 16
    for (int64_t i = 0; i < kWidth; ++i) rows[i] = shuffled[i];
  }
}

/// Calls `f(i, n)` for the n elements from i on. n is kWidth, or less at the end.
template <class F>
inline void for_each_vector(int64_t size, F f) {
  int64_t i = 0;
  for (; i + kWidth <= size; i += kWidth) f(i, kWidth);
  if (i < size) f(i, size - i);
}
inline Vf load_any(const float* p, int64_t n) { return n == kWidth ? load(p) : load(p, n); }
inline void store_any(float* p, Vf x, int64_t n) {
  if (n == kWidth) {
    store(p, x);
  } else {
    store(p, x, n);
  }
}

/// e^x for x <= 89, with a relative error of about 1e-7. Results below 2^-126.5, the end of a float's full
/// precision, are 0. From x = 88.73 on (88.38 without AVX-512) the result is infinity. NaN gives NaN.
/// x = n ln 2 + r with |r| <= ln 2 / 2, e^r by its Taylor series to the 7th power (remainder below 6e-9).
inline Vf bounded_exp(Vf x) {
#if !defined(__AVX512F__)
  x = greater(splat(-88.0f), x);  // At -88, n is -127 and the result 0.
#endif
  const Vf shift = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to a whole number.
  const Vf shifted = fma(x, splat(1.44269504f), shift);
  const Vf n = shifted - shift;
  Vf r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  Vf y = splat(1.0f / 5040);
  y = fma(y, r, splat(1.0f / 720));
  y = fma(y, r, splat(1.0f / 120));
  y = fma(y, r, splat(1.0f / 24));
  y = fma(y, r, splat(1.0f / 6));
  y = fma(y, r, splat(0.5f));
  y = fma(y, r, splat(1.0f));
  y = fma(y, r, splat(1.0f));
#if defined(__AVX512F__)
  const __mmask16 is_normal = _mm512_cmp_ps_mask(reinterpret_cast<__m512>(n), _mm512_set1_ps(-126), _CMP_NLT_UQ);
  return reinterpret_cast<Vf>(
      _mm512_maskz_scalef_ps(is_normal, reinterpret_cast<__m512>(y), reinterpret_cast<__m512>(n)));
#else
  // The exponents 0 and 255 make 2^-127 zero, and 2^128 infinity.
  const Vi exponent = (reinterpret_cast<Vi>(shifted) - reinterpret_cast<Vi>(shift) + 127) << 23;
  return y * reinterpret_cast<Vf>(exponent);
#endif
}

/// The same for any x.
inline Vf exp(Vf x) { return bounded_exp(lesser(splat(89.0f), x)); }

/// The product of the low halves of 64-bit lanes.
inline Vul mul_low_halves(Vul a, Vul b) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vul>(_mm512_mul_epu32(reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif defined(__AVX2__)
  return reinterpret_cast<Vul>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#else
  constexpr uint64_t kLow = 0xFFFFFFFF;
  return (a & kLow) * (b & kLow);
#endif
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
