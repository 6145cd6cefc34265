#pragma once

#include <bit>
#include <cstdint>

// Converts one half-precision number (IEEE 754 binary16), the scale of a block, to float. ops/convert.h converts many.
namespace tinyllm {

/// Exact, with subnormal numbers, infinities and NaN.
inline float float_of_f16(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16, rest = half & 0x7FFFu;
  // The bits below are a float whose exponent is 112 too low. The multiplication corrects it, also for subnormal
  // halves.
  const auto finite = std::bit_cast<uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f);
  return std::bit_cast<float>(sign | (rest < 0x7C00 ? finite : rest << 13 | 0x7F800000u));
}

}  // namespace tinyllm
