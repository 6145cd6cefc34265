#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using Tensors = std::vector<Tensor>;

// Windows of x, by definition.
OpCase pool_case(Shape x, const Pool2d& options, Shape result, bool is_max) {
  OpCase test;
  const auto [kernel, stride, padding] = options;
  test.name = fmt::format("{}_pool2d {}, kernel {},{} stride {},{} padding {},{}", is_max ? "max" : "avg", x, kernel[0],
                          kernel[1], stride[0], stride[1], padding[0], padding[1]);
  test.arguments = {{f32, x}};
  test.check_gradient = x.size() < 1000;
  if (is_max) test.tolerance = 0;
  test.build = [=](const Tensors& in) -> Tensors {
    return {is_max ? max_pool2d(in[0], options) : avg_pool2d(in[0], options)};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(result);
    const int64_t step_y = stride[0] == 0 ? kernel[0] : stride[0], step_x = stride[1] == 0 ? kernel[1] : stride[1];
    for (int64_t at = 0; at < result.size(); ++at) {
      const int64_t column = at % result[3], row = at / result[3] % result[2], plane = at / (result[2] * result[3]);
      double most = -1e9, total = 0;
      int64_t count = 0;
      for (int64_t k = 0; k < kernel[0] * kernel[1]; ++k) {
        const int64_t h = row * step_y - padding[0] + k / kernel[1], v = column * step_x - padding[1] + k % kernel[1];
        if (h < 0 || h >= x[2] || v < 0 || v >= x[3]) continue;
        const double pixel = in[0][(plane * x[2] + h) * x[3] + v];
        most = std::max(most, pixel);
        total += pixel;
        ++count;
      }
      y[at] = is_max ? most : total / double(count);
    }
    return std::vector<Array>{y};
  };
  return test;
}

// A sequence is an image of one row.
OpCase line_case(bool is_max) {
  OpCase test = pool_case({2, 3, 1, 9}, {{1, 3}, {1, 2}, {0, 1}}, {2, 3, 1, 5}, is_max);
  test.name = is_max ? "max_pool1d" : "avg_pool1d";
  test.arguments = {{f32, {2, 3, 9}}};
  test.build = [=](const Tensors& in) -> Tensors {
    const Pool1d options{3, 2, 1};
    return {is_max ? max_pool1d(in[0], options) : avg_pool1d(in[0], options)};
  };
  test.reference = [flat = test.reference](const std::vector<Array>& in) {
    Array image({2, 3, 1, 9}), y({2, 3, 5});
    image.values = in[0].values;
    y.values = flat({image})[0].values;
    return std::vector<Array>{y};
  };
  return test;
}

OpCase upsample_case(Shape x, std::array<int64_t, 2> factor) {
  OpCase test;
  test.name = fmt::format("upsample_nearest {} by {},{}", x, factor[0], factor[1]);
  test.arguments = {{f32, x}};
  test.tolerance = 0;
  test.build = [=](const Tensors& in) -> Tensors { return {upsample_nearest(in[0], factor)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(x.with(2, x[2] * factor[0]).with(3, x[3] * factor[1]));
    const int64_t height = y.shape[2], width = y.shape[3];
    for (int64_t i = 0; i < y.shape.size(); ++i) {
      const int64_t h = i / width % height / factor[0], v = i % width / factor[1];
      y[i] = in[0][(i / (width * height) * x[2] + h) * x[3] + v];
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase bilinear_case(Shape x, std::array<int64_t, 2> factor) {
  OpCase test = upsample_case(x, factor);
  test.name = fmt::format("upsample_bilinear {} by {},{}", x, factor[0], factor[1]);
  test.tolerance = 2e-7;
  test.build = [=](const Tensors& in) -> Tensors { return {upsample_bilinear(in[0], factor)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(x.with(2, x[2] * factor[0]).with(3, x[3] * factor[1]));
    const int64_t height = y.shape[2], width = y.shape[3];
    const auto place = [](int64_t i, int64_t by) { return std::max(0.0, (double(i) + 0.5) / double(by) - 0.5); };
    for (int64_t i = 0; i < y.shape.size(); ++i) {
      const double v = place(i / width % height, factor[0]), h = place(i % width, factor[1]);
      const auto pixel = [&](double row, double column) {
        const int64_t r = std::min(int64_t(row), x[2] - 1), c = std::min(int64_t(column), x[3] - 1);
        return in[0][(i / (width * height) * x[2] + r) * x[3] + c];
      };
      const double top = std::floor(v), left = std::floor(h);
      const auto line = [&](double row) {
        return (1 - (h - left)) * pixel(row, left) + (h - left) * pixel(row, left + 1);
      };
      y[i] = (1 - (v - top)) * line(top) + (v - top) * line(top + 1);
    }
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> pool_cases() {
  std::vector<OpCase> all = {line_case(true),
                             line_case(false),
                             upsample_case({2, 3, 4, 5}, {2, 3}),
                             upsample_case({1, 2, 3, 1}, {1, 1}),
                             upsample_case({0, 2, 3, 4}, {2, 2}),
                             bilinear_case({2, 3, 4, 5}, {2, 3}),
                             bilinear_case({1, 2, 3, 1}, {1, 4}),
                             bilinear_case({2, 2, 0, 4}, {2, 2})};
  for (const bool is_max : {true, false}) {
    all.push_back(pool_case({2, 3, 6, 8}, {}, {2, 3, 3, 4}, is_max));
    all.push_back(pool_case({2, 1, 7, 5}, {{3, 2}, {2, 1}, {1, 1}}, {2, 1, 4, 6}, is_max));
    all.push_back(pool_case({1, 2, 5, 5}, {{3, 3}, {1, 1}, {2, 0}}, {1, 2, 7, 3}, is_max));
    all.push_back(pool_case({1, 1, 1, 1}, {{1, 1}}, {1, 1, 1, 1}, is_max));
    all.push_back(pool_case({1, 1, 3, 3}, {{3, 3}, {INT64_MAX, INT64_MAX}}, {1, 1, 1, 1}, is_max));
    all.push_back(pool_case({0, 2, 4, 4}, {}, {0, 2, 2, 2}, is_max));
    all.push_back(pool_case({3, 30, 41, 37}, {{3, 3}, {2, 2}, {1, 1}}, {3, 30, 21, 19}, is_max));
  }
  return all;
}

}  // namespace tinyllm::test
