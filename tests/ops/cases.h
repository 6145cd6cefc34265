#pragma once

#include "op_table.h"

#include <cmath>
#include <numbers>

namespace tinyllm::test {

std::vector<OpCase> products_cases();
std::vector<OpCase> elementwise_cases();
std::vector<OpCase> rows_cases();
std::vector<OpCase> attention_cases();
std::vector<OpCase> token_cases();
std::vector<OpCase> shape_cases();
std::vector<OpCase> optimizer_cases();

inline double silu_of(double x) { return x / (1 + std::exp(-x)); }
inline double gelu_of(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
}

}  // namespace tinyllm::test
