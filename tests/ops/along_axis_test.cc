#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <functional>
#include <limits>

#include "error_of.h"

namespace tinyllm::test {
namespace {

using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

template <class T = float>
std::vector<T> computed(const Floats& x, const std::function<Tensor(Tensor)>& op) {
  Graph graph;
  const Tensor y = op(graph.input("x", f32, {static_cast<int64_t>(x.size())}));
  Program program = compile(graph, {y}, {.pool = ThreadPool(2)});
  program.write("x", x);
  program.run();
  const auto found = program.read<T>(y);
  return {found.begin(), found.end()};
}

}  // namespace

TEST_CASE("NaN is the greatest number, and 0 equals -0, wherever numbers are ordered") {
  const Floats x = {1, kNan, -kInfinity, 0.0f, -0.0f, kInfinity, -kNan};
  CHECK(computed<int32_t>(x, [](Tensor t) { return argsort(t, 0); }) == Ints{2, 3, 4, 0, 5, 1, 6});
  CHECK(computed<int32_t>(x, [](Tensor t) { return argsort(t, 0, true); }) == Ints{1, 6, 5, 0, 3, 4, 2});
  CHECK(computed<int32_t>(x, [](Tensor t) { return top_k(t, 3).indices; }) == Ints{1, 6, 5});
  CHECK(computed<int32_t>(x, [](Tensor t) { return argmax(t, 0); }) == Ints{1});
  CHECK(computed<int32_t>(x, [](Tensor t) { return argmin(t, 0); }) == Ints{1});
  CHECK(computed<int32_t>({3, 7, 7, 3}, [](Tensor t) { return argmax(t, 0); }) == Ints{1});
  CHECK(computed<int32_t>({3, 7, 7, 3}, [](Tensor t) { return argmin(t, 0); }) == Ints{0});
}

TEST_CASE("whole numbers are sorted as such") {
  Graph graph;
  const Tensor x = graph.input("x", i32, {4});
  const auto [values, indices] = sort(x, 0);
  Program program = compile(graph, {values, indices}, {.pool = ThreadPool(1)});
  constexpr int32_t kLeast = std::numeric_limits<int32_t>::min(), kMost = std::numeric_limits<int32_t>::max();
  program.write("x", Ints{kMost, -1, kLeast, 0});
  program.run();
  const auto found = program.read<int32_t>(values);
  CHECK(Ints(found.begin(), found.end()) == Ints{kLeast, -1, 0, kMost});
}

TEST_CASE("logsumexp of infinite numbers is their limit") {
  const auto of = [](const Floats& x) { return computed(x, [](Tensor t) { return logsumexp(t, {0}); })[0]; };
  CHECK(of({-kInfinity, -kInfinity}) == -kInfinity);
  CHECK(of({1, kInfinity}) == kInfinity);
  CHECK(std::isnan(of({1, kNan, kInfinity})));
  CHECK(of({3e38f, -kInfinity}) == 3e38f);
  CHECK(of({1000, 1000}) == doctest::Approx(1000 + std::log(2.0)).epsilon(1e-7));
  // The gradient of a row without any probability is 0.
  const auto gradient = [](Tensor t) { return gradients(logsumexp(t, {0}), {t})[0]; };
  CHECK(computed({-kInfinity, -kInfinity}, gradient) == Floats{0, 0});
  CHECK(computed({-kInfinity, 5}, gradient) == Floats{0, 1});
}

TEST_CASE("a running sum of many numbers is exact") {
  const Floats y = computed(Floats(200000, 0.1f), [](Tensor t) { return cumsum(t, 0); });
  for (const size_t i : {size_t{0}, size_t{65535}, size_t{65536}, size_t{199999}}) {
    CHECK(y[i] == static_cast<float>(double(0.1f) * double(i + 1)));
  }
}

TEST_CASE("keys beyond a length do not reach the result, and a sequence without keys has a result of 0") {
  Graph graph;
  const Tensor q = graph.input("q", f32, {2, 1, 1, 2}), k = graph.input("k", f32, {2, 2, 1, 2});
  const Tensor lengths = graph.input("lengths", i32, {2});
  const Tensor out = full_attention(q, k, k, {.lengths = lengths});
  const Tensor dk = gradients(sum(out), {k})[0];
  Program program = compile(graph, {out, dk}, {.pool = ThreadPool(1)});
  program.write("q", Floats{1, 2, 3, 4});
  program.write("k", Floats{5, 6, kNan, kInfinity, kNan, 1, 2, kNan});
  program.write("lengths", Ints{1, 0});
  program.run();
  const auto found = program.read<float>(out), grad = program.read<float>(dk);
  CHECK(Floats(found.begin(), found.end()) == Floats{5, 6, 0, 0});
  CHECK(Floats(grad.begin(), grad.end()) == Floats{1, 1, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("axes, counts and shapes of ops along an axis are checked while building") {
  Graph g;
  const Tensor x = g.input("x", f32, {2, 3}), empty = g.input("empty", f32, {2, 0}), whole = g.input("whole", i32, {2});
  const Tensor q = g.input("q", f32, {2, 3, 4, 5}), k = g.input("k", f32, {2, 7, 3, 5});
  const Tensor one = g.input("one", f32, {1}), step = g.input("step", i32, {1}), row = g.input("row", f32, {2});
  CHECK(error_of([&] { argmax(empty, 1); }) == "argmax: empty [2,0]: axis 1 has 0 elements, expected 1 to 2^31 - 1");
  CHECK(error_of([&] { argmin(whole, 0); }) == "argmin: whole [2] is i32, expected f32");
  CHECK(error_of([&] { sort(x, 2); }) == "shape [2,3]: no axis 2");
  CHECK(error_of([&] { top_k(x, 4); }) == "top_k: x x [2,3]: 4 of axis -1, expected 0 to 3");
  CHECK(error_of([&] { logsumexp(empty, {1}); }) ==
        "logsumexp: empty [2,0]: axis 1 has no elements, expected at least one");
  CHECK(error_of([&] { softmax(empty); }) == "softmax: x empty [2,0]: axis -1 has no elements, expected at least one");
  CHECK(error_of([&] { full_attention(q, k, k); }) ==
        "full_attention: q q [2,3,4,5] and k k [2,7,3,5]: 4 query heads do not share 3 key heads evenly");
  CHECK(error_of([&] { full_attention(q, k, q); }) ==
        "full_attention: q q [2,3,4,5], k k [2,7,3,5], v q [2,3,4,5]: expected q [B, T, H, D], k and v [B, S, G, D]");
  CHECK(error_of([&] {
          full_attention(q, q, q, {.bias = g.input("bias", f32, {5, 2, 4, 3, 3})});
        }) == "full_attention: bias bias [5,2,4,3,3]: expected a shape that broadcasts to [2,4,3,3]");
  CHECK(error_of([&] { adafactor(x, x, row, row, step, one, one, {}); }) == "adafactor: row [2]: expected [3]");
  CHECK(error_of([&] { adafactor(row, row, row, row, step, one, one, {}); }) ==
        "adafactor: param row [2] and columns row [2]: expected no columns for a vector");
}

}  // namespace tinyllm::test
