#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using Tensors = std::vector<Tensor>;

constexpr float kEps = 1e-2f;

// Rows of `size` with mean 0 and deviation 1.
Array normal_rows(const Array& x, int64_t size) {
  Array y(x.shape);
  for (int64_t r = 0; r < x.shape.size(); r += size) {
    double mean = 0, variance = 0;
    for (int64_t i = r; i < r + size; ++i) mean += x[i] / double(size);
    for (int64_t i = r; i < r + size; ++i) variance += (x[i] - mean) * (x[i] - mean) / double(size);
    for (int64_t i = r; i < r + size; ++i) y[i] = (x[i] - mean) / std::sqrt(variance + double(kEps));
  }
  return y;
}

OpCase layer_norm_case(Shape x) {
  OpCase test;
  test.name = fmt::format("layer_norm {}", x);
  test.arguments = {{f32, x, -2, 5}, {f32, {x.row()}}, {f32, {x.row()}}};
  test.check_gradient = x.size() < 1000;
  test.build = [](const Tensors& in) -> Tensors { return {layer_norm(in[0], in[1], in[2], kEps)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y = normal_rows(in[0], x.row());
    for (int64_t i = 0; i < x.size(); ++i) y[i] = y[i] * in[1][i % x.row()] + in[2][i % x.row()];
    return std::vector<Array>{y};
  };
  return test;
}

OpCase group_norm_case(Shape x, int64_t groups) {
  OpCase test;
  test.name = fmt::format("group_norm {} in {} groups", x, groups);
  test.arguments = {{f32, x, -2, 5}, {f32, {x[1]}}, {f32, {x[1]}}};
  test.check_gradient = x.size() < 1000;
  test.build = [=](const Tensors& in) -> Tensors { return {group_norm(in[0], groups, in[1], in[2], kEps)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y = normal_rows(in[0], x.size(1, x.rank()) / groups);
    for (int64_t i = 0; i < x.size(); ++i) {
      const int64_t channel = i / x.size(2, x.rank()) % x[1];
      y[i] = y[i] * in[1][channel] + in[2][channel];
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase l2_normalize_case(Shape x) {
  OpCase test;
  test.name = fmt::format("l2_normalize {}", x);
  test.arguments = {{f32, x}};
  test.build = [](const Tensors& in) -> Tensors { return {l2_normalize(in[0], kEps)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(x);
    for (int64_t r = 0; r < x.size(); r += x.row()) {
      double squares = double(kEps);
      for (int64_t i = r; i < r + x.row(); ++i) squares += in[0][i] * in[0][i];
      for (int64_t i = r; i < r + x.row(); ++i) y[i] = in[0][i] / std::sqrt(squares);
    }
    return std::vector<Array>{y};
  };
  return test;
}

// A loss that is the mean of a function of two numbers.
OpCase pair_loss_case(const std::string& name, Shape shape, Tensor (*op)(Tensor, Tensor),
                      double (*term)(double, double)) {
  OpCase test;
  test.name = fmt::format("{} {}", name, shape);
  test.arguments = {{f32, shape, -3, 3}, {f32, shape, 0, 1}};
  test.build = [=](const Tensors& in) -> Tensors { return {op(in[0], in[1])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array loss({1});
    for (int64_t i = 0; i < shape.size(); ++i) loss[0] += term(in[0][i], in[1][i]) / double(shape.size());
    return std::vector<Array>{loss};
  };
  return test;
}

OpCase kl_div_case(Shape shape) {
  OpCase test;
  test.name = fmt::format("kl_div {}", shape);
  test.arguments = {{f32, shape, -3, 0}, {f32, shape, 0.1, 1}};
  test.build = [](const Tensors& in) -> Tensors { return {kl_div(in[0], in[1])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array loss({1});
    for (int64_t i = 0; i < shape.size(); ++i) {
      loss[0] += in[1][i] * (std::log(in[1][i]) - in[0][i]) / double(shape.rows());
    }
    return std::vector<Array>{loss};
  };
  return test;
}

// Targets of `lowest` to `end` - 1. Those below 0 are ignored.
OpCase nll_case(int64_t rows, int64_t classes, int64_t lowest, int64_t end) {
  OpCase test;
  test.name = fmt::format("nll of {} rows, targets from {} to {}", rows, lowest, end - 1);
  test.arguments = {{f32, {rows, classes}, -3, 0}, {i32, {rows}, double(lowest), double(end)}};
  test.build = [](const Tensors& in) -> Tensors {
    const auto number = [&](double x) { return cast(in[0].graph().constant(float(x), {1}), i32); };
    return {nll(in[0], where(less(in[1], number(0)), number(kIgnore), in[1]))};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array loss({1});
    double counted = 0;
    for (int64_t r = 0; r < rows; ++r) {
      if (in[1][r] < 0) continue;
      loss[0] -= in[0][r * classes + int64_t(in[1][r])];
      ++counted;
    }
    loss[0] /= std::max(counted, 1.0);
    return std::vector<Array>{loss};
  };
  return test;
}

}  // namespace

std::vector<OpCase> norm_cases() {
  const auto smooth = [](Tensor x, Tensor y) { return smooth_l1(x, y, 0.7f); };
  const auto square = [](double x, double y) { return (x - y) * (x - y); };
  const auto huber = [](double x, double y) {
    const double beta = double(0.7f), d = std::abs(x - y);
    return d < beta ? d * d / (2 * beta) : d - beta / 2;
  };
  const auto binary = [](double x, double y) {
    const double s = 1 / (1 + std::exp(-x));
    return -(y * std::log(s) + (1 - y) * std::log(1 - s));
  };
  return {
      layer_norm_case({5, 1}),
      layer_norm_case({2, 3, 19}),
      layer_norm_case({0, 8}),
      layer_norm_case({333, 200}),
      group_norm_case({2, 6, 3, 5}, 3),
      group_norm_case({2, 4}, 1),
      group_norm_case({0, 4, 2, 2}, 2),
      group_norm_case({3, 24, 31, 17}, 4),
      l2_normalize_case({4, 1}),
      l2_normalize_case({2, 3, 13}),
      l2_normalize_case({0, 13}),
      pair_loss_case("mse", {3, 5}, mse, square),
      pair_loss_case("smooth_l1", {7, 5}, smooth, huber),
      pair_loss_case("binary_cross_entropy_with_logits", {4, 5}, binary_cross_entropy_with_logits, binary),
      kl_div_case({3, 7}),
      nll_case(9, 5, 0, 5),
      nll_case(40, 5, -3, 5),
      nll_case(4, 5, -3, 0),
  };
}

}  // namespace tinyllm::test
