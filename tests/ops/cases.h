#pragma once

#include "ops/op_table.h"

#include <tinyllm/tensor/base/random.h>

#include <cmath>
#include <numbers>

namespace tinyllm::test {

std::vector<OpCase> products_cases();
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> unary_cases();
std::vector<OpCase> broadcast_cases();
std::vector<OpCase> reduction_cases();
std::vector<OpCase> rows_cases();
std::vector<OpCase> along_axis_cases();
std::vector<OpCase> attention_cases();
std::vector<OpCase> full_attention_cases();
std::vector<OpCase> token_cases();
std::vector<OpCase> shape_cases();
std::vector<OpCase> layout_cases();
std::vector<OpCase> indexing_cases();
std::vector<OpCase> convolution_cases();
std::vector<OpCase> pool_cases();
std::vector<OpCase> norm_cases();
std::vector<OpCase> optimizer_cases();

/// What a dropout multiplies element `j` with, by its definition: half s of word 2 h + l of block 8 g + i, where
/// j = 64 g + 32 h + 16 s + 2 i + l.
inline double dropout_factor(int64_t j, float p, uint64_t seed, uint32_t op, int32_t step) {
  const uint64_t block = uint64_t(j / 64 * 8 + j % 16 / 2);
  const auto words =
      philox<7>({uint32_t(block), uint32_t(block >> 32), op, uint32_t(step)}, {uint32_t(seed), uint32_t(seed >> 32)});
  const uint32_t word = words[size_t(j / 32 % 2 * 2 + j % 2)];
  const double bits = j / 16 % 2 == 0 ? word & 0xFFFF : word >> 16;
  const double threshold = std::round(double(p) * 65536);
  return bits >= threshold ? 65536 / (65536 - threshold) : 0;
}

inline double silu_of(double x) { return x / (1 + std::exp(-x)); }
inline double gelu_of(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

}  // namespace tinyllm::test
