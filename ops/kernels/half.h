#pragma once

#include <tinyllm/ops/kernels/simd.h>
#include <tinyllm/tensor/types.h>

// Conversion between vectors of floats and 16-bit numbers. Widening is exact. Narrowing rounds to the nearest number,
// ties to even. Subnormal numbers, infinity and NaN are kept.
namespace tinyllm::kernels::TINYLLM_ISA {

using Bits16 = uint16_t __attribute__((vector_size(kWidth * 2)));

template <class T>
inline Bits16 load_bits(const T* p, int64_t n = kWidth) {
  static_assert(sizeof(T) == sizeof(uint16_t));
  Bits16 bits = {};
  if (n == kWidth) {
    __builtin_memcpy(&bits, p, sizeof bits);
  } else {
    __builtin_memcpy(&bits, p, static_cast<size_t>(n) * sizeof(T));
  }
  return bits;
}
template <class T>
inline void store_bits(T* p, Bits16 bits, int64_t n) {
  if (n == kWidth) {
    __builtin_memcpy(p, &bits, sizeof bits);
  } else {
    __builtin_memcpy(p, &bits, static_cast<size_t>(n) * sizeof(T));
  }
}

/// n numbers, zeros after them.
inline Vf widen(const float* p, int64_t n = kWidth) { return load_any(p, n); }
inline Vf widen(const BFloat16* p, int64_t n = kWidth) {
  return reinterpret_cast<Vf>(__builtin_convertvector(load_bits(p, n), Vu) << 16);
}
inline Vf widen(const Half* p, int64_t n = kWidth) {
  const Bits16 bits = load_bits(p, n);
#if defined(__AVX512F__)
  return reinterpret_cast<Vf>(_mm512_cvtph_ps(reinterpret_cast<__m256i>(bits)));
#elif defined(__F16C__)
  return reinterpret_cast<Vf>(_mm256_cvtph_ps(reinterpret_cast<__m128i>(bits)));
#else
  // Shifted into a float, a half has an exponent that is 112 too small. A subnormal half becomes a subnormal float.
  const Vu half = __builtin_convertvector(bits, Vu);
  const Vu shifted = (half & 0x7FFF) << 13;
  constexpr uint32_t kInfinity = 0x7C00u << 13;
  const Vu exponent = reinterpret_cast<Vu>(shifted >= kInfinity) & 0x7F800000;
  const Vu quiet = reinterpret_cast<Vu>(shifted > kInfinity) & 0x00400000;
  const Vu magnitude = reinterpret_cast<Vu>(reinterpret_cast<Vf>(shifted) * splat(0x1p112f));
  return reinterpret_cast<Vf>(magnitude | exponent | quiet | (half & 0x8000) << 16);
#endif
}

inline Bits16 narrow(Vf x, const BFloat16*) {
  const Vu bits = reinterpret_cast<Vu>(x);
  const Vu rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
  const Vu is_nan = reinterpret_cast<Vu>((bits & 0x7FFFFFFF) > 0x7F800000);
  return __builtin_convertvector((rounded & ~is_nan) | ((bits >> 16 | 0x40) & is_nan), Bits16);
}
inline Bits16 narrow(Vf x, const Half*) {
#if defined(__AVX512F__)
  return reinterpret_cast<Bits16>(_mm512_cvtps_ph(reinterpret_cast<__m512>(x), _MM_FROUND_TO_NEAREST_INT));
#elif defined(__F16C__)
  return reinterpret_cast<Bits16>(_mm256_cvtps_ph(reinterpret_cast<__m256>(x), _MM_FROUND_TO_NEAREST_INT));
#else
  const Vu bits = reinterpret_cast<Vu>(x);
  const Vu size = bits & 0x7FFFFFFF;
  const Vu normal = (size + 0xFFF + (size >> 13 & 1) - (112u << 23)) >> 13;
  // Floats from 1/2 to 1 have the spacing of subnormal halves, so adding 1/2 rounds to one.
  const Vu small = reinterpret_cast<Vu>(reinterpret_cast<Vf>(size) + splat(0.5f)) - 0x3F000000;
  const Vu is_small = reinterpret_cast<Vu>(size < 0x38800000);   // 2^-14.
  const Vu is_large = reinterpret_cast<Vu>(size >= 0x47800000);  // 2^16.
  const Vu is_nan = reinterpret_cast<Vu>(size > 0x7F800000);
  Vu half = (small & is_small) | (normal & ~is_small);
  half = (half & ~is_large) | (0x7C00 & is_large);
  half |= (0x200 | (size >> 13 & 0x3FF)) & is_nan;
  return __builtin_convertvector(half | (bits >> 16 & 0x8000), Bits16);
#endif
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
