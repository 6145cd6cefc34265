#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using Tensors = std::vector<Tensor>;

struct ConvCase {
  Shape x, w;
  Conv2d options = {};
  bool has_bias = false;
};

// The sum of the definition, term by term.
Array convolve(const ConvCase& c, const Shape& result, const std::vector<Array>& in) {
  Array y(result);
  const auto [stride, padding, dilation, groups] = c.options;
  const int64_t channels = c.w[1], outputs = c.w[0] / groups;
  for (int64_t at = 0; at < result.size(); ++at) {
    const int64_t column = at % result[3], row = at / result[3] % result[2];
    const int64_t o = at / (result[3] * result[2]) % result[1], b = at / (result[3] * result[2] * result[1]);
    double total = c.has_bias ? in[2][o] : 0;
    for (int64_t k = 0; k < c.w.size(1, 4); ++k) {
      const int64_t j = k % c.w[3], i = k / c.w[3] % c.w[2], channel = k / (c.w[3] * c.w[2]);
      const int64_t h = row * stride[0] - padding[0] + i * dilation[0];
      const int64_t v = column * stride[1] - padding[1] + j * dilation[1];
      if (h < 0 || h >= c.x[2] || v < 0 || v >= c.x[3]) continue;
      const int64_t from = o / outputs * channels + channel;
      total += in[0][((b * c.x[1] + from) * c.x[2] + h) * c.x[3] + v] * in[1][o * c.w.size(1, 4) + k];
    }
    y[at] = total;
  }
  return y;
}

OpCase conv2d_case(const ConvCase& c, Shape result) {
  OpCase test;
  const auto [stride, padding, dilation, groups] = c.options;
  test.name = fmt::format("conv2d {} by {}, stride {},{} padding {},{} dilation {},{} groups {}", c.x, c.w, stride[0],
                          stride[1], padding[0], padding[1], dilation[0], dilation[1], groups);
  test.arguments = {{f32, c.x}, {f32, c.w}};
  if (c.has_bias) test.arguments.push_back({f32, {c.w[0]}});
  test.check_gradient = c.x.size() < 1000 && c.w.size() < 1000;
  test.build = [=](const Tensors& in) -> Tensors {
    return {conv2d(in[0], in[1], c.has_bias ? in[2] : Tensor{}, c.options)};
  };
  test.reference = [=](const std::vector<Array>& in) { return std::vector<Array>{convolve(c, result, in)}; };
  return test;
}

OpCase conv1d_case() {
  const ConvCase flat = {
      {2, 4, 1, 9}, {6, 2, 1, 3}, {.stride = {1, 2}, .padding = {0, 3}, .dilation = {1, 2}, .groups = 2}, true};
  OpCase test = conv2d_case(flat, {2, 6, 1, 6});
  test.name = "conv1d";
  test.arguments = {{f32, {2, 4, 9}}, {f32, {6, 2, 3}}, {f32, {6}}};
  test.build = [](const Tensors& in) -> Tensors {
    return {conv1d(in[0], in[1], in[2], {.stride = 2, .padding = 3, .dilation = 2, .groups = 2})};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array y({2, 6, 6});
    y.values = convolve(flat, {2, 6, 1, 6}, in).values;
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> convolution_cases() {
  return {
      conv2d_case({{2, 3, 5, 7}, {4, 3, 3, 3}, {.padding = {1, 1}}, true}, {2, 4, 5, 7}),
      conv2d_case({{1, 2, 6, 5}, {3, 2, 3, 2}, {.stride = {2, 3}, .padding = {0, 1}}}, {1, 3, 2, 2}),
      conv2d_case({{2, 2, 9, 8}, {2, 2, 3, 3}, {.padding = {2, 1}, .dilation = {2, 3}}}, {2, 2, 9, 4}),
      conv2d_case({{2, 4, 5, 5}, {6, 2, 2, 2}, {.groups = 2}, true}, {2, 6, 4, 4}),
      conv2d_case({{1, 5, 6, 6}, {5, 1, 3, 3}, {.padding = {1, 1}, .groups = 5}}, {1, 5, 6, 6}),
      conv2d_case({{2, 3, 4, 5}, {5, 3, 1, 1}, {}, true}, {2, 5, 4, 5}),
      conv2d_case({{2, 3, 5, 5}, {5, 3, 1, 1}, {.stride = {2, 2}}}, {2, 5, 3, 3}),
      conv2d_case({{1, 1, 4, 4}, {2, 1, 3, 3}, {.stride = {INT64_MAX, INT64_MAX}}}, {1, 2, 1, 1}),
      conv2d_case({{1, 1, 1, 1}, {1, 1, 1, 1}, {.padding = {3, 2}}}, {1, 1, 7, 5}),
      conv2d_case({{1, 1, 2, 2}, {1, 1, 4, 4}, {.padding = {1, 1}}}, {1, 1, 1, 1}),
      // The taps at the sides see padding alone.
      conv2d_case({{1, 2, 1, 2}, {2, 2, 1, 3}, {.padding = {0, 5}, .dilation = {1, 5}}}, {1, 2, 1, 2}),
      conv2d_case({{0, 3, 5, 7}, {4, 3, 3, 3}, {}, true}, {0, 4, 3, 5}),
      // More than one part along k, and of rows and columns, in each of the three products.
      conv2d_case({{2, 70, 19, 21}, {190, 70, 3, 3}, {.padding = {1, 1}}, true}, {2, 190, 19, 21}),
      conv2d_case({{3, 600, 6, 7}, {40, 600, 1, 1}}, {3, 40, 6, 7}),
      conv2d_case({{2, 7, 41, 37}, {24, 7, 5, 5}, {.stride = {2, 2}, .padding = {2, 2}}}, {2, 24, 21, 19}),
      conv2d_case({{1, 1, 3, 5000}, {2, 1, 3, 3}, {.padding = {1, 1}}}, {1, 2, 3, 5000}),
      conv1d_case(),
  };
}

}  // namespace tinyllm::test
