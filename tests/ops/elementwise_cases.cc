#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using UnaryOp = Tensor (*)(Tensor);

OpCase unary(const std::string& name, Shape shape, UnaryOp op, double (*f)(double)) {
  OpCase test;
  test.name = name;
  test.arguments = {{f32, shape, -6, 6}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {op(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    for (int64_t i = 0; i < shape.size(); ++i) y[i] = f(in[0][i]);
    return std::vector<Array>{y};
  };
  return test;
}

using DroppedOp = Tensor (*)(Tensor, const Dropout&);

// Of dropout(f(x)).
OpCase dropout_case(const std::string& name, Shape shape, float p, int32_t step, DroppedOp op, double (*f)(double)) {
  constexpr uint64_t kSeed = 0x123456789;
  OpCase test;
  test.name = fmt::format("{}, dropout {} of {} at step {}", name, p, shape, step);
  test.arguments = {{f32, shape}, {i32, {1}, double(step), double(step) + 1}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {op(in[0], {p, kSeed, in[1]})}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    for (int64_t i = 0; i < shape.size(); ++i) {
      const uint32_t node = 0;  // The first of the graph.
      y[i] = f(in[0][i]) * dropout_factor(i, p, kSeed, node, step);
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase swiglu_case(const std::string& name, Shape shape) {
  OpCase test;
  test.name = "swiglu, " + name;
  test.arguments = {{f32, shape.with(-1, 2 * shape.row()), -3, 3}};
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {swiglu(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    const int64_t f = shape.row();
    for (int64_t i = 0; i < shape.size(); ++i) {
      const int64_t gate = i / f * 2 * f + i % f;
      y[i] = silu_of(in[0][gate]) * in[0][gate + f];
    }
    return std::vector<Array>{y};
  };
  return test;
}

double same(double x) { return x; }
double scaled(double x) { return -2.5 * x; }

}  // namespace

std::vector<OpCase> elementwise_cases() {
  std::vector<OpCase> cases = {
      unary(
          "silu", {3, 21}, [](Tensor x) { return silu(x); }, silu_of),
      unary(
          "silu, nothing", {0, 4}, [](Tensor x) { return silu(x); }, silu_of),
      unary(
          "gelu", {67}, [](Tensor x) { return gelu(x); }, gelu_of),
      unary(
          "scale", {2, 9}, [](Tensor x) { return scale(x, -2.5f); }, scaled),
      swiglu_case("odd sizes", {2, 3, 19}),
      swiglu_case("one row", {5}),
      swiglu_case("an empty batch", {0, 4}),
      dropout_case("dropout", {7, 13}, 0.25f, 3, dropout, same),
      dropout_case("dropout", {0}, 0.25f, 3, dropout, same),
      dropout_case("silu", {11, 9}, 0.25f, 3, silu, silu_of),
      dropout_case("gelu", {11, 9}, 0.25f, 3, gelu, gelu_of),
  };
  OpCase large = dropout_case("dropout", {9, 1111}, 0.1f, 70000, dropout, same);
  large.check_gradient = false;
  cases.push_back(large);
  large = dropout_case("silu", {9, 1111}, 0.1f, 70000, silu, silu_of);
  large.check_gradient = false;
  cases.push_back(large);
  large = swiglu_case("many rows", {70, 300});
  large.check_gradient = false;
  cases.push_back(large);
  return cases;
}

}  // namespace tinyllm::test
