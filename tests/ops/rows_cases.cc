#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

OpCase rms_norm_case(Shape shape, bool check_gradient = true) {
  constexpr float kEps = 1e-2f;
  OpCase test;
  test.name = fmt::format("rms_norm {}", shape);
  test.arguments = {{f32, shape}, {f32, {shape.row()}}};
  test.check_gradient = check_gradient;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {rms_norm(in[0], in[1], kEps)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    const int64_t c = shape.row();
    for (int64_t r = 0; r < shape.rows(); ++r) {
      double squares = 0;
      for (int64_t i = 0; i < c; ++i) squares += in[0][r * c + i] * in[0][r * c + i];
      const double rms = std::sqrt(squares / double(c) + double(kEps));
      for (int64_t i = 0; i < c; ++i) y[r * c + i] = in[0][r * c + i] / rms * in[1][i];
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase softmax_case(Shape shape, bool check_gradient = true) {
  OpCase test;
  test.name = fmt::format("softmax {}", shape);
  test.arguments = {{f32, shape, -5, 5}};
  test.check_gradient = check_gradient;
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {softmax(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    const int64_t c = shape.row();
    for (int64_t r = 0; r < shape.rows(); ++r) {
      double total = 0;
      for (int64_t i = 0; i < c; ++i) total += std::exp(in[0][r * c + i]);
      for (int64_t i = 0; i < c; ++i) y[r * c + i] = std::exp(in[0][r * c + i]) / total;
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase rope_case(int64_t batch, int64_t tokens, int64_t heads, int64_t d) {
  constexpr float kBase = 10000;
  OpCase test;
  test.name = fmt::format("rope [{},{},{},{}]", batch, tokens, heads, d);
  test.arguments = {{f32, {batch, tokens, heads, d}}, {i32, {batch, tokens}, 0, 512}};
  test.tolerance = 2e-6;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {rope(in[0], rope_angles(in[1], rope_frequencies(d, kBase)))};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array y({batch, tokens, heads, d});
    for (int64_t row = 0; row < batch * tokens * heads; ++row) {
      for (int64_t i = 0; i < d / 2; ++i) {
        const double angle = in[1][row / heads] * std::pow(double(kBase), -2.0 * double(i) / double(d));
        const double a = in[0][row * d + i];
        const double b = in[0][row * d + d / 2 + i];
        y[row * d + i] = a * std::cos(angle) - b * std::sin(angle);
        y[row * d + d / 2 + i] = b * std::cos(angle) + a * std::sin(angle);
      }
    }
    return std::vector<Array>{y};
  };
  return test;
}

// [outer, n, inner] summed over n, and divided by `divisor`.
OpCase sum_case(const std::string& name, Shape shape, Shape result, int64_t n, int64_t inner, double divisor,
                const std::function<Tensor(Tensor)>& op) {
  OpCase test;
  test.name = name;
  test.arguments = {{f32, shape}};
  test.check_gradient = shape.size() < 1000;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {op(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(result);
    for (int64_t i = 0; i < shape.size(); ++i) y[i / (n * inner) * inner + i % inner] += in[0][i] / divisor;
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> rows_cases() {
  const auto sum_all = [](Tensor x) { return sum(x); };
  const auto mean_all = [](Tensor x) { return mean(x); };
  const auto sum_over = [](int axis) { return [axis](Tensor x) { return sum(x, axis); }; };
  const auto mean_over = [](int axis) { return [axis](Tensor x) { return mean(x, axis); }; };
  return {
      rms_norm_case({5, 1}),
      rms_norm_case({2, 3, 19}),
      rms_norm_case({40, 8}),
      rms_norm_case({0, 8}),
      rms_norm_case({333, 200}, false),
      softmax_case({4, 1}),
      softmax_case({2, 3, 13}),
      softmax_case({0, 13}),
      softmax_case({301, 130}, false),
      rope_case(2, 3, 2, 6),
      rope_case(1, 5, 1, 32),
      rope_case(0, 5, 2, 4),
      sum_case("sum", {3, 5, 7}, {1}, 105, 1, 1, sum_all),
      sum_case("sum of nothing", {0, 7}, {1}, 1, 1, 1, sum_all),
      sum_case("sum of many", {3, 70001}, {1}, 3 * 70001, 1, 1, sum_all),
      sum_case("sum over the first axis", {5, 3, 7}, {3, 7}, 5, 21, 1, sum_over(0)),
      sum_case("sum over a middle axis", {5, 3, 7}, {5, 7}, 3, 7, 1, sum_over(1)),
      sum_case("sum over the last axis", {5, 3, 7}, {5, 3}, 7, 1, 1, sum_over(-1)),
      sum_case("sum over an empty axis", {0, 7}, {7}, 1, 7, 1, sum_over(0)),
      sum_case("sum over many rows", {700, 300}, {300}, 700, 300, 1, sum_over(0)),
      sum_case("sum over many wide rows", {2, 130, 4100}, {2, 4100}, 130, 4100, 1, sum_over(1)),
      sum_case("mean", {3, 5}, {1}, 15, 1, 15, mean_all),
      sum_case("mean over an axis", {3, 5, 2}, {3, 2}, 5, 2, 5, mean_over(1)),
  };
}

}  // namespace tinyllm::test
