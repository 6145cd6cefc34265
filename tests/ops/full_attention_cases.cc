#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

struct Setting {
  int64_t batch, queries, keys, heads, groups, size;
  bool has_lengths = false;
  Shape bias = {};  ///< Without axes: no bias.
};

// bias[b, h, t, s], by broadcasting.
double bias_at(const Array& bias, std::array<int64_t, 4> at) {
  int64_t index = 0;
  const int rank = bias.shape.rank();
  for (int i = 0; i < rank; ++i) {
    const int64_t extent = bias.shape[i];
    index = index * extent + (extent == 1 ? 0 : at[static_cast<size_t>(4 - rank + i)]);
  }
  return bias[index];
}

OpCase full_attention_case(const Setting& s) {
  OpCase test;
  const bool has_bias = s.bias.rank() > 0;
  test.name = fmt::format("full_attention of {} queries to {} keys{}{}", s.queries, s.keys,
                          s.has_lengths ? ", lengths" : "", has_bias ? fmt::format(", bias {}", s.bias) : "");
  const Shape keys{s.batch, s.keys, s.groups, s.size};
  test.arguments = {{f32, {s.batch, s.queries, s.heads, s.size}, -2, 2},
                    {f32, keys, -2, 2},
                    {f32, keys},
                    {i32, {s.batch}, 0, double(s.keys) + 1}};
  if (has_bias) test.arguments.push_back({f32, s.bias});
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {full_attention(in[0], in[1], in[2],
                           {.lengths = s.has_lengths ? in[3] : Tensor{}, .bias = has_bias ? in[4] : Tensor{}})};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array out({s.batch, s.queries, s.heads, s.size});
    for (int64_t row = 0; row < out.shape.rows(); ++row) {
      const int64_t h = row % s.heads, t = row / s.heads % s.queries, b = row / (s.heads * s.queries);
      const auto key = [&](int64_t j) { return ((b * s.keys + j) * s.groups + h / (s.heads / s.groups)) * s.size; };
      const int64_t end = s.has_lengths ? int64_t(in[3][b]) : s.keys;
      std::vector<double> weights;
      double total = 0;
      for (int64_t j = 0; j < end; ++j) {
        double score = 0;
        for (int64_t i = 0; i < s.size; ++i) score += in[0][row * s.size + i] * in[1][key(j) + i];
        score /= std::sqrt(double(s.size));
        weights.push_back(std::exp(score + (has_bias ? bias_at(in[4], {b, h, t, j}) : 0)));
        total += weights.back();
      }
      for (int64_t j = 0; j < end; ++j) {
        for (int64_t i = 0; i < s.size; ++i) out[row * s.size + i] += weights[size_t(j)] / total * in[2][key(j) + i];
      }
    }
    return std::vector<Array>{out};
  };
  return test;
}

}  // namespace

std::vector<OpCase> full_attention_cases() {
  return {
      full_attention_case({1, 3, 5, 1, 1, 4}),
      full_attention_case({2, 3, 4, 4, 2, 5, true}),
      full_attention_case({7, 1, 2, 1, 1, 3, true}),  // Lengths of 0, 1 and 2.
      full_attention_case({2, 3, 4, 2, 1, 5, false, {3, 4}}),
      full_attention_case({2, 3, 4, 2, 2, 5, true, {2, 2, 1, 4}}),
      full_attention_case({0, 3, 4, 2, 2, 5, true}),
      full_attention_case({2, 0, 4, 2, 2, 5}),
  };
}

}  // namespace tinyllm::test
