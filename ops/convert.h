#pragma once

#include <tinyllm/tensor/types.h>

#include <span>

namespace tinyllm {

/// Numbers of 16 bits as floats: exact. Throws Error when `to` is not as long as `from`.
void convert(std::span<const Half> from, std::span<float> to);
void convert(std::span<const BFloat16> from, std::span<float> to);

/// Floats as numbers of 16 bits: the nearest one, the even one of two as near. What is larger than the largest number
/// becomes infinity; NaN stays NaN. Throws Error when `to` is not as long as `from`.
void convert(std::span<const float> from, std::span<Half> to);
void convert(std::span<const float> from, std::span<BFloat16> to);

}  // namespace tinyllm
