#pragma once

#include <bit>
#include <cstdint>

// Floats of 16 bits: IEEE 754 binary16 and bfloat16, the upper half of a float.
namespace tinyllm {

/// Exact, with subnormal numbers, infinities and NaN.
inline float float_of_f16(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, rest = half & 0x7FFFu;
  // The exponent of the float below is 112 too low; subnormal halves become subnormal floats.
  const auto finite = std::bit_cast<uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f);
  return std::bit_cast<float>(sign | (rest < 0x7C00 ? finite : rest << 13 | 0x7F800000u));
}

/// The nearest binary16, of two as near the even one. Numbers from 65520 on become infinite.
inline uint16_t f16_of_float(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000u);
  const uint32_t rest = bits & 0x7FFFFFFFu;
  if (rest > 0x7F800000u) return sign | 0x7E00u;
  if (rest >= 0x477FF000u) return sign | 0x7C00u;
  // Rounds a subnormal result to whole multiples of 2^-24: adding 0.5 leaves room for exactly these bits.
  if (rest < 0x38800000u) {
    const float shifted = std::bit_cast<float>(rest) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3F000000u));
  }
  const uint32_t rounded = rest + 0xFFFu + (rest >> 13 & 1u) - 0x38000000u;
  return static_cast<uint16_t>(sign | rounded >> 13);
}

inline float float_of_bf16(uint16_t upper) { return std::bit_cast<float>(uint32_t{upper} << 16); }

/// The nearest bfloat16, of two as near the even one.
inline uint16_t bf16_of_float(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  if ((bits & 0x7FFFFFFFu) > 0x7F800000u) return static_cast<uint16_t>(bits >> 16 | 0x40u);
  return static_cast<uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

}  // namespace tinyllm
