#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using TensorFunction = Tensor (*)(Tensor);
using Function = double (*)(double);

struct Row {
  const char* name;
  TensorFunction op;
  Function f;
  double low = -3, high = 3;
  double tolerance = 2.5e-7;  // 2 units in the last place.
};

double clamped(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

// What is tested in double is i32, as a number.
Tensor counted(Tensor x) { return cast(x, f32); }

const Row kRows[] = {
    {"neg", neg, [](double x) { return -x; }},
    {"abs", abs, [](double x) { return std::abs(x); }},
    {"sign", sign, [](double x) { return x > 0 ? 1.0 : -1.0; }},
    {"floor", floor, [](double x) { return std::floor(x); }},
    {"round", round, [](double x) { return std::nearbyint(x); }},
    {"square", square, [](double x) { return x * x; }},
    {"reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.5, 4},
    {"sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.1, 4},
    {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.1, 4},
    {"exp", exp, [](double x) { return std::exp(x); }},
    {"expm1", expm1, [](double x) { return std::expm1(x); }},
    {"log", log, [](double x) { return std::log(x); }, 0.1, 4},
    {"log1p", log1p, [](double x) { return std::log1p(x); }, -0.9, 4},
    {"sin", sin, [](double x) { return std::sin(x); }, -20, 20},
    {"cos", cos, [](double x) { return std::cos(x); }, -20, 20},
    {"tanh", tanh, [](double x) { return std::tanh(x); }},
    {"erf", erf, [](double x) { return std::erf(x); }},
    {"sigmoid", sigmoid, sigmoid_of, -6, 6},
    {"softplus", softplus, [](double x) { return std::log1p(std::exp(x)); }, -6, 6},
    {"relu", relu, [](double x) { return x > 0 ? x : 0; }},
    {"relu_squared", relu_squared, [](double x) { return x > 0 ? x * x : 0; }},
    {"leaky_relu", [](Tensor x) { return leaky_relu(x, 0.25f); }, [](double x) { return x > 0 ? x : x / 4; }},
    {"elu", [](Tensor x) { return elu(x, 1.5f); }, [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); }},
    {"hard_swish", hard_swish, [](double x) { return x * clamped(x + 3, 0, 6) / 6; }, -6, 6},
    {"gelu_exact", gelu_exact, [](double x) { return x / 2 * std::erfc(-x / std::sqrt(2.0)); }, -6, 6},
    {"clamp", [](Tensor x) { return clamp(x, -1, 0.5f); }, [](double x) { return clamped(x, -1, 0.5); }},
    {"is_nan", [](Tensor x) { return counted(is_nan(x)); }, [](double) { return 0.0; }},
    {"logical_not", [](Tensor x) { return counted(logical_not(cast(x, i32))); },
     [](double x) { return std::trunc(x) == 0 ? 1.0 : 0.0; }},
    {"cast to i32", [](Tensor x) { return counted(cast(x, i32)); }, [](double x) { return std::trunc(x); }},
    {"operators with numbers", [](Tensor x) { return -(1 - 2 * ((3 / x + 0.5) * 0.1 - x / 7) - 4) + (1 + x); },
     [](double x) { return -(1 - 2 * ((3 / x + 0.5) * 0.1 - x / 7) - 4) + (1 + x); }, 0.5, 3, 1e-6},
    {"pow of a number", [](Tensor x) { return pow(x, -1.5); }, [](double x) { return std::pow(x, -1.5); }, 0.5, 4},
};

OpCase unary_case(const Row& row, Shape shape) {
  OpCase test;
  test.name = fmt::format("{} of {}", row.name, shape);
  test.arguments = {{f32, shape, row.low, row.high}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {row.op(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    for (int64_t i = 0; i < shape.size(); ++i) y[i] = row.f(in[0][i]);
    return std::vector<Array>{y};
  };
  test.tolerance = row.tolerance;
  return test;
}

// Numbers that 16 bits hold exactly, so that rounding changes nothing.
OpCase cast_case(DType to) {
  OpCase test = unary_case({"cast", {}, [](double x) { return 2 * x; }}, {3, 37});
  test.name = fmt::format("cast to {} and back", name_of(to));
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    const Tensor eighths = scale(round(scale(in[0], 8)), 0.125f);
    return {add(cast(cast(in[0] * 0.0 + eighths, to), f32), eighths)};
  };
  test.reference = [](const std::vector<Array>& in) {
    Array y(in[0].shape);
    for (int64_t i = 0; i < y.shape.size(); ++i) y[i] = 2 * std::nearbyint(in[0][i] * 8) / 8;
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> unary_cases() {
  std::vector<OpCase> cases = {cast_case(f16), cast_case(bf16)};
  for (const Row& row : kRows) {
    cases.push_back(unary_case(row, {3, 37}));
    cases.push_back(unary_case(row, {2, 0, 3}));
    OpCase large = unary_case(row, {40003});
    large.check_gradient = false;
    cases.push_back(large);
  }
  return cases;
}

}  // namespace tinyllm::test
