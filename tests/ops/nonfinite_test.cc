#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace tinyllm::test {
namespace {

using Floats = std::vector<float>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kHuge = 3e38f;

using Map = void (*)(int64_t n, const float* x, float* y);
using MapGrad = void (*)(int64_t n, const float* x, const float* dy, float* dx);

// f(x), found at every place of a vector and in the rest of a row.
Floats everywhere(Map f, float x) {
  const Floats values(37, x);
  Floats results(values.size());
  f(37, values.data(), results.data());
  return results;
}

Floats gradients_everywhere(MapGrad f, float x) {
  const Floats values(37, x), dy(37, 2.0f);
  Floats results(values.size());
  f(37, values.data(), dy.data(), results.data());
  return results;
}

void exponential(int64_t n, const float* x, float* y) { kernels::kernels().exp_scaled(n, x, 0, 1, y); }

constexpr int64_t kTokens = 150, kHeads = 4, kGroups = 2, kSize = 20;

// Attention with its three gradients, over packed documents that begin at these tokens.
struct Attention {
  std::vector<int32_t> documents;
  float dropout = 0;
  std::map<std::string, Floats> inputs = {};

  Attention(std::vector<int32_t> first_tokens, float p) : documents(std::move(first_tokens)), dropout(p) {
    Random random(8);
    for (const auto& [name, heads] : {std::pair{"q", kHeads}, {"k", kGroups}, {"v", kGroups}, {"dout", kHeads}}) {
      Floats& values = inputs[name];
      values.resize(static_cast<size_t>(kTokens * heads * kSize));
      for (float& x : values) x = static_cast<float>(random.normal());
    }
  }

  int32_t start_of(int64_t token) const {
    int32_t start = 0;
    for (const int32_t first : documents) start = first <= token ? first : start;
    return start;
  }
  bool sees(int64_t query, int64_t key) const { return start_of(query) <= key && key <= query; }

  // The result and the gradients of q, k and v.
  std::map<std::string, Floats> run() const {
    Graph graph;
    const Tensor q = graph.input("q", f32, {1, kTokens, kHeads, kSize});
    const Tensor k = graph.input("k", f32, {1, kTokens, kGroups, kSize});
    const Tensor v = graph.input("v", f32, {1, kTokens, kGroups, kSize});
    const Tensor starts = documents.size() > 1 ? graph.input("starts", i32, {1, kTokens}) : Tensor{};
    const Tensor out = attention(q, k, v, starts, {dropout, 3, graph.input("step", i32, {1})});
    const Tensor dout = graph.input("dout", f32, out.shape());
    const std::vector<Tensor> grads = gradients(sum(mul(out, dout)), {q, k, v});
    Program program = compile(graph, {out, grads[0], grads[1], grads[2]}, {.pool = ThreadPool(2)});
    for (const auto& [name, values] : inputs) program.write(name, values);
    if (starts) {
      const auto to = program.data<int32_t>("starts");
      for (int64_t t = 0; t < kTokens; ++t) to[static_cast<size_t>(t)] = start_of(t);
    }
    program.run();
    std::map<std::string, Floats> found;
    for (const auto& [name, tensor] : {std::pair{"out", out}, {"dq", grads[0]}, {"dk", grads[1]}, {"dv", grads[2]}}) {
      const auto values = program.read<float>(tensor);
      found[name].assign(values.begin(), values.end());
    }
    return found;
  }
};

Floats row_of(const Floats& values, int64_t row) {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / kTokens;
  return {values.begin() + row * size, values.begin() + (row + 1) * size};
}

void poison_row(Floats& values, int64_t row, float poison) {
  const auto size = static_cast<std::ptrdiff_t>(values.size()) / kTokens;
  std::fill_n(values.begin() + row * size, size, poison);
}

bool is_finite(const Floats& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

// Puts `poison` into row `at` of an input. Rows that have nothing to do with it must stay as they were, to the bit.
void check_poisoned(const Attention& clean, const std::string& input, int64_t at, float poison) {
  CAPTURE(input);
  CAPTURE(at);
  CAPTURE(poison);
  Attention test = clean;
  poison_row(test.inputs[input], at, poison);
  const std::map<std::string, Floats> before = clean.run(), after = test.run();
  const bool of_key = input == "k" || input == "v";
  const auto is_reached = [&](int64_t query) { return of_key ? clean.sees(query, at) : query == at; };
  for (int64_t row = 0; row < kTokens; ++row) {
    CAPTURE(row);
    if (!is_reached(row)) {
      if (row_of(after.at("out"), row) != row_of(before.at("out"), row)) FAIL_CHECK("out");
      if (row_of(after.at("dq"), row) != row_of(before.at("dq"), row)) FAIL_CHECK("dq");
    } else if (input != "dout") {
      CHECK_FALSE(is_finite(row_of(after.at("out"), row)));
    }
    bool key_is_reached = false;
    for (int64_t query = row; query < kTokens; ++query) {
      key_is_reached = key_is_reached || (clean.sees(query, row) && is_reached(query));
    }
    if (!key_is_reached) {
      if (row_of(after.at("dk"), row) != row_of(before.at("dk"), row)) FAIL_CHECK("dk");
      if (row_of(after.at("dv"), row) != row_of(before.at("dv"), row)) FAIL_CHECK("dv");
    }
  }
}

}  // namespace

TEST_CASE("e^x is 0 far below, infinity far above, and close to the true value between") {
  for (const float x : {-88.0f, -90.0f, -104.0f, -265.0f, -1000.0f, -kHuge, -kInfinity}) {
    CAPTURE(x);
    CHECK(everywhere(exponential, x) == Floats(37, 0.0f));
  }
  for (const float x : {89.0f, 1000.0f, kHuge, kInfinity}) {
    CAPTURE(x);
    CHECK(everywhere(exponential, x) == Floats(37, kInfinity));
  }
  for (const float x : everywhere(exponential, kNan)) CHECK(std::isnan(x));
  for (float x = -87.3f; x < 88.3f; x += 0.37f) {
    CHECK(everywhere(exponential, x)[0] == doctest::Approx(std::exp(double(x))).epsilon(2e-7));
  }
}

TEST_CASE("silu and gelu of very negative numbers are -0, and gradients there are 0") {
  const kernels::Kernels& kernel = kernels::kernels();
  for (const Map f : {kernel.silu, kernel.gelu}) {
    for (const float x : {-100.0f, -1e19f, -kHuge, -kInfinity}) {
      CAPTURE(x);
      for (const float y : everywhere(f, x)) {
        CHECK(y == 0);
        CHECK(std::signbit(y));
      }
    }
    for (const float x : {1e19f, kHuge, kInfinity}) CHECK(everywhere(f, x) == Floats(37, x));
    for (const float y : everywhere(f, kNan)) CHECK(std::isnan(y));
  }
  for (const MapGrad f : {kernel.silu_grad, kernel.gelu_grad}) {
    for (const float x : {100.0f, 1e19f, kHuge, kInfinity}) {
      CAPTURE(x);
      CHECK(gradients_everywhere(f, x) == Floats(37, 2.0f));
      CHECK(gradients_everywhere(f, -x) == Floats(37, 0.0f));
    }
    for (const float y : gradients_everywhere(f, kNan)) CHECK(std::isnan(y));
  }
}

TEST_CASE("softmax of minus infinity is 0, but a row of nothing else is NaN") {
  const auto softmax_of = [](Floats x) {
    Floats y(x.size());
    kernels::kernels().softmax(1, static_cast<int64_t>(x.size()), x.data(), y.data());
    return y;
  };
  for (const float low : {-kInfinity, -kHuge, -1000.0f}) {
    Floats x(37, low);
    x[5] = x[36] = 2;
    Floats y(37, 0.0f);
    y[5] = y[36] = 0.5f;
    CHECK(softmax_of(x) == y);
  }
  for (const float bad : {kNan, kInfinity}) {
    Floats x(37, 1.0f);
    x[20] = bad;
    CHECK(std::isnan(softmax_of(x)[20]));
  }
  for (const float y : softmax_of(Floats(37, -kInfinity))) CHECK(std::isnan(y));
}

TEST_CASE("NaN and infinity reach only what sees them") {
  const Attention causal({0}, 0), documents({0, 30, 61, 64, 100}, 0), dropped({0, 30, 61, 64, 100}, 0.3f);
  for (const float poison : {kNan, kInfinity, -kInfinity}) {
    for (const std::string input : {"q", "k", "v", "dout"}) {
      for (const int64_t at : {0, 45, 62, 63, 64, 99, 149}) {
        check_poisoned(causal, input, at, poison);
        check_poisoned(documents, input, at, poison);
      }
    }
    for (const std::string input : {"q", "k", "v", "dout"}) check_poisoned(dropped, input, 45, poison);
  }
}

}  // namespace tinyllm::test
