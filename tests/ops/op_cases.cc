#include "ops/cases.h"

namespace tinyllm::test {

std::vector<OpCase> op_cases() {
  std::vector<OpCase> all;
  for (const auto& part :
       {products_cases, elementwise_cases, unary_cases, broadcast_cases, rows_cases, along_axis_cases, attention_cases,
        full_attention_cases, token_cases, shape_cases, optimizer_cases, layout_cases, indexing_cases,
        convolution_cases, pool_cases, norm_cases, reduction_cases}) {
    for (OpCase& test : part()) all.push_back(std::move(test));
  }
  return all;
}

}  // namespace tinyllm::test
