#include <doctest/doctest.h>

#include <fmt/format.h>

#include <tinyllm/ops/kernels/kernels.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

// What the elementwise functions give for every kind of float, beside C's functions in double.
namespace tinyllm::test {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kTiny = std::numeric_limits<float>::denorm_min();
constexpr float kLargest = std::numeric_limits<float>::max();

// Special ones, and some of every exponent.
std::vector<float> floats() {
  std::vector<float> all = {0,      -0.0f,    1,      -1,         kInfinity, -kInfinity, kNan,
                            kTiny,  -kTiny,   1e-40f, -1e-40f,    kLargest,  -kLargest,  0.5f,
                            1.5f,   2.5f,     -0.5f,  8388607.5f, 1e5f,      100001,     16777216,
                            -1e10f, 88.7228f, 88.73f, -87.3366f,  -103.97f,  -104.0f};
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 104729) all.push_back(std::bit_cast<float>(uint32_t(bits)));
  for (float x = -20; x < 20; x += 0.00791f) all.push_back(x);
  return all;
}

// Floats from `x` to the next one, where `x` is between two: the unit in the last place of what is expected.
double unit_of(double x) {
  const int exponent = x == 0 ? -149 : std::ilogb(x) - 23;
  return std::ldexp(1.0, std::max(exponent, -149));
}

bool agrees(float found, double exact, double units) {
  if (std::isnan(exact)) return std::isnan(found);
  const auto expected = static_cast<float>(exact);
  if (std::isinf(expected) || std::isinf(found)) return found == expected;
  if (expected == 0 && found == 0) return std::signbit(found) == std::signbit(expected);
  return std::abs(double(found) - exact) <= units * unit_of(exact);
}

double sign_of(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double gelu_exact_of(double x) {
  return x == -double(kInfinity) ? -0.0 : 0.5 * x * std::erfc(-x * 0.70710678118654752440);
}
double hard_swish_of(double x) { return x <= -3 ? -0.0 : x >= 3 ? x : x * (x + 3) / 6; }
double softplus_of(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

struct Row {
  const char* name;
  kernels::Map<float> f;
  double (*exact)(double);
  double units = 0.6;  // 0.5 is what rounding gives.
};

std::vector<Row> rows() {
  const kernels::Unary& k = kernels::kernels().unary;
  return {
      {"neg", k.neg, [](double x) { return -x; }, 0},
      {"abs", k.abs, [](double x) { return std::abs(x); }, 0},
      {"sign", k.sign, sign_of, 0},
      {"floor", k.floor, [](double x) { return std::floor(x); }, 0},
      {"round", k.round, [](double x) { return std::nearbyint(x); }, 0},
      {"square", k.square, [](double x) { return x * x; }},
      {"reciprocal", k.reciprocal, [](double x) { return 1 / x; }},
      {"sqrt", k.sqrt, [](double x) { return std::sqrt(x); }},
      {"rsqrt", k.rsqrt, [](double x) { return 1 / std::sqrt(x); }, 1.5},  // Rounded twice.
      {"exp", k.exp, [](double x) { return std::exp(x); }},
      {"expm1", k.expm1, [](double x) { return std::expm1(x); }},
      {"log", k.log, [](double x) { return std::log(x); }},
      {"log1p", k.log1p, [](double x) { return std::log1p(x); }},
      {"sin", k.sin, [](double x) { return std::sin(x); }},
      {"cos", k.cos, [](double x) { return std::cos(x); }},
      {"tanh", k.tanh, [](double x) { return std::tanh(x); }},
      {"erf", k.erf, [](double x) { return std::erf(x); }},
      {"sigmoid", k.sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"softplus", k.softplus, softplus_of},
      {"relu", k.relu, [](double x) { return x <= 0 ? std::copysign(0.0, x == 0 ? x : 1) : x; }, 0},
      {"relu_squared", k.relu_squared, [](double x) { return x <= 0 ? 0 : x * x; }},
      {"hard_swish", k.hard_swish, hard_swish_of, 2},
      {"gelu_exact", k.gelu_exact, gelu_exact_of},
  };
}

std::vector<float> applied(kernels::Map<float> f, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  f(static_cast<int64_t>(x.size()), {}, x.data(), y.data());
  return y;
}

std::vector<uint32_t> bits_of(const std::vector<float>& x) {
  std::vector<uint32_t> bits;
  for (const float value : x) bits.push_back(std::bit_cast<uint32_t>(value));
  return bits;
}

}  // namespace

TEST_CASE("an elementwise function of any float is that of C's in double, rounded") {
  const std::vector<float> x = floats();
  for (const Row& row : rows()) {
    const std::vector<float> y = applied(row.f, x);
    int wrong = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double exact = row.exact(double(x[i]));
      if (agrees(y[i], exact, row.units) || ++wrong > 3) continue;
      FAIL_CHECK(fmt::format("{}({}): found {}, expected {}", row.name, x[i], y[i], exact));
    }
    if (wrong > 3) FAIL_CHECK(fmt::format("{}: {} in all", row.name, wrong));
  }
}

TEST_CASE("an elementwise function gives a float the same bits wherever it is, whatever is beside it") {
  const std::vector<float> all = floats();
  for (const Row& row : rows()) {
    const std::vector<float> y = applied(row.f, all);
    for (size_t i = 0; i < all.size(); i += 97) {
      const std::vector<float> alone = {all[i]};
      const float found = applied(row.f, alone)[0];
      if (std::isnan(found) && std::isnan(y[i])) continue;  // Which NaN it is, is not said.
      CHECK(bits_of({found}) == bits_of({y[i]}));
    }
  }
}

TEST_CASE("silu and gelu, computed in float, are as close as elementwise.h says") {
  std::vector<float> x;
  for (float a = -80; a < 80; a += 0.00117f) x.push_back(a);
  std::vector<float> y(x.size());
  kernels::kernels().silu(int64_t(x.size()), x.data(), y.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = double(x[i]) / (1 + std::exp(-double(x[i])));
    CHECK(std::abs(y[i] - exact) <= 4 * unit_of(exact));
  }
  kernels::kernels().gelu(int64_t(x.size()), x.data(), y.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double a = double(x[i]);
    const double exact = a / (1 + std::exp(-2 * 0.79788456080286535588 * (a + 0.044715 * a * a * a)));
    CHECK(std::abs(y[i] - exact) <= std::max(1e-6, 1.5e-6 * std::abs(exact)));
  }
}

TEST_CASE("pow of any two floats is that of C") {
  std::vector<float> x, y;
  for (const float a : {0.0f, -0.0f, 1.0f, -1.0f, 0.5f, -0.5f, 2.0f, -2.0f, 1.0001f, 0.9999f, kInfinity, -kInfinity,
                        kNan, kTiny, -kTiny, kLargest, -kLargest, 10.0f, -3.0f}) {
    for (const float b :
         {0.0f,        -0.0f,       1.0f,  -1.0f,  2.0f,      -2.0f,      3.0f, -3.0f, 0.5f,      -0.5f, 1.5f,
          16777215.0f, 16777216.0f, 1e20f, -1e20f, kInfinity, -kInfinity, kNan, kTiny, 100000.0f, -7.25f}) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  for (float a = 0.01f; a < 30; a *= 1.0173f) {
    for (float b = -30; b < 30; b += 0.37f) {
      x.push_back(a);
      y.push_back(b);
    }
  }
  std::vector<float> found(x.size());
  kernels::kernels().binary.pow(static_cast<int64_t>(x.size()), x.data(), y.data(), found.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double exact = std::pow(double(x[i]), double(y[i]));
    CHECK_MESSAGE(agrees(found[i], exact, 1),
                  fmt::format("pow({}, {}): found {}, expected {}", x[i], y[i], found[i], exact));
  }
}

TEST_CASE("comparisons, minimum and maximum treat NaN and zeros as IEEE 754 does") {
  const std::vector<float> values = {kNan, kInfinity, -kInfinity, 0, -0.0f, 1, -1, kTiny};
  const kernels::Binary& k = kernels::kernels().binary;
  const auto of = [](auto f, float a, float b) {
    int32_t out = -7;
    f(1, &a, &b, &out);
    return out;
  };
  for (const float a : values) {
    for (const float b : values) {
      CAPTURE(a);
      CAPTURE(b);
      CHECK(of(k.equal, a, b) == int(a == b));
      CHECK(of(k.not_equal, a, b) == int(a != b));
      CHECK(of(k.less, a, b) == int(a < b));
      CHECK(of(k.less_equal, a, b) == int(a <= b));
      float least = 0, most = 0;
      k.minimum(1, &a, &b, &least);
      k.maximum(1, &a, &b, &most);
      const bool has_nan = std::isnan(a) || std::isnan(b);
      CHECK(std::isnan(least) == has_nan);
      CHECK(std::isnan(most) == has_nan);
      if (has_nan) continue;
      CHECK(bits_of({least}) == bits_of({b < a ? b : a}));
      CHECK(bits_of({most}) == bits_of({b > a ? b : a}));
    }
  }
}

TEST_CASE("a float becomes the nearest whole number towards 0 that an i32 can be") {
  const std::vector<std::pair<float, int32_t>> cases = {{kNan, 0},
                                                        {kInfinity, INT32_MAX},
                                                        {-kInfinity, INT32_MIN},
                                                        {2147483648.0f, INT32_MAX},
                                                        {2147483520.0f, 2147483520},
                                                        {-2147483648.0f, INT32_MIN},
                                                        {-3e9f, INT32_MIN},
                                                        {-0.0f, 0},
                                                        {0.99f, 0},
                                                        {-0.99f, 0},
                                                        {-1.5f, -1},
                                                        {kTiny, 0}};
  for (const auto& [x, expected] : cases) {
    int32_t found = -7;
    kernels::kernels().unary.to_i32(1, {}, &x, &found);
    CHECK_MESSAGE(found == expected, fmt::format("{}", x));
  }
}

TEST_CASE("is_nan is 1 for NaN only") {
  for (const float x : floats()) {
    int32_t found = -7;
    kernels::kernels().unary.is_nan(1, {}, &x, &found);
    CHECK(found == int(std::isnan(x)));
  }
}

TEST_CASE("functions with numbers keep NaN, and gradients at infinity are those of the line there") {
  const kernels::Kernels& k = kernels::kernels();
  for (const kernels::Map<float> f : {k.unary.leaky_relu, k.unary.elu, k.unary.clamp}) {
    float y = 0;
    f(1, {0.5f, 1}, &kNan, &y);
    CHECK(std::isnan(y));
  }
  const auto slope = [](kernels::UnaryGrad::Grad f, kernels::Constants constants, float x) {
    const float dy = 2;
    float dx = -7;
    f(1, constants, &x, &dy, &dx);
    return dx;
  };
  const kernels::UnaryGrad& g = k.unary_grad;
  for (const auto f : {g.relu, g.hard_swish, g.gelu_exact, g.elu}) {
    CHECK(slope(f, {1}, kInfinity) == 2);
    CHECK(slope(f, {1}, -kInfinity) == 0);
  }
  CHECK(slope(g.leaky_relu, {0.25f}, -kInfinity) == 0.5f);
  CHECK(slope(g.erf, {}, kInfinity) == 0);
  CHECK(slope(g.relu, {}, 0) == 0);
  CHECK(slope(g.clamp, {-1, 1}, 1) == 2);
  CHECK(slope(g.clamp, {-1, 1}, -1) == 2);
  CHECK(slope(g.clamp, {-1, 1}, 1.01f) == 0);
}

}  // namespace tinyllm::test
