#pragma once

#include <tinyllm/tensor/types.h>

#include <span>

namespace tinyllm {

/// Converts 16-bit numbers to floats, exactly. Throws Error if `to` is not as long as `from`.
void convert(std::span<const Half> from, std::span<float> to);
void convert(std::span<const BFloat16> from, std::span<float> to);

/// One half as a float, exactly.
float to_float(Half half);

/// Converts floats to the nearest 16-bit number, ties to even. Numbers above the largest finite one become infinity;
/// NaN stays NaN. Throws Error if `to` is not as long as `from`.
void convert(std::span<const float> from, std::span<Half> to);
void convert(std::span<const float> from, std::span<BFloat16> to);

}  // namespace tinyllm
