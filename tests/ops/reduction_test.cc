#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <functional>
#include <limits>

namespace tinyllm::test {
namespace {

// The result, and then the gradient of each element.
std::vector<float> reduced(Tensor (*op)(Tensor), const std::vector<float>& x) {
  Graph graph;
  const Tensor in = graph.input("x", f32, {static_cast<int64_t>(x.size())});
  const Tensor y = op(in);
  const Tensor dx = gradients(y, {in})[0];
  Program program = compile(graph, {y, dx}, {.pool = ThreadPool(2)});
  program.write("x", x);
  program.run();
  std::vector<float> found = {program.read<float>(y)[0]};
  for (const float d : program.read<float>(dx)) found.push_back(d);
  return found;
}

}  // namespace

namespace {

std::vector<float> computed(const std::function<Tensor(Graph&)>& build) {
  Graph graph;
  const Tensor y = build(graph);
  Program program = compile(graph, {y}, {.pool = ThreadPool(2)});
  program.run();
  const auto found = program.read<float>(y);
  return {found.begin(), found.end()};
}

}  // namespace

TEST_CASE("the mean of equal numbers is that number") {
  for (int64_t n = 1; n <= 200; ++n) {
    CHECK(computed([&](Graph& g) { return mean(ones(g, {n})); }) == std::vector<float>{1});
    CHECK(computed([&](Graph& g) { return mean(ones(g, {n, 2}), 0); }) == std::vector<float>{1, 1});
  }
}

TEST_CASE("layer_norm of a row of equal numbers is its bias") {
  for (const int64_t n : {3, 7, 49, 200}) {
    const auto normal = [&](Graph& g) {
      return layer_norm(full(g, {1, n}, 0.1f), ones(g, {n}), full(g, {n}, 0.25f), 1e-5f);
    };
    CHECK(computed(normal) == std::vector<float>(size_t(n), 0.25f));
  }
}

TEST_CASE("an empty list of axes reduces nothing") {
  const auto x = [](Graph& g) { return arange(g, 0, 3); };
  CHECK(computed([&](Graph& g) { return sum(x(g), {}); }) == std::vector<float>{0, 1, 2});
  CHECK(computed([&](Graph& g) { return mean(x(g), {}); }) == std::vector<float>{0, 1, 2});
  CHECK(computed([&](Graph& g) { return max(x(g), {}); }) == std::vector<float>{0, 1, 2});
}

TEST_CASE("a sum of very many rows keeps its precision") {
  // One group after the other would reach 2^24, where adding 1 changes nothing.
  const int64_t rows = (int64_t{1} << 24) + 4096;
  CHECK(computed([&](Graph& g) {
          return sum(broadcast_to(ones(g, {1, 2}), {rows, 2}), 0);
        }) == std::vector<float>(2, static_cast<float>(rows)));
}

TEST_CASE("what has no elements to average is named") {
  Graph g;
  const Tensor x = g.input("x", f32, {2, 0});
  CHECK_THROWS_WITH_AS(mean(x, 1), "mean: x [2,0]: nothing to average", Error);
  CHECK_THROWS_WITH_AS(mean(x), "mean: x [2,0]: nothing to average", Error);
  CHECK_THROWS_WITH_AS(var(x, {1}), "var: x [2,0]: 0 elements and correction 0, expected more elements", Error);
  CHECK_NOTHROW(mean(x, 0));
}

TEST_CASE("the gradient of the greatest and the least goes to the first of equal ones") {
  CHECK(reduced(max, {1, 3, 3, 2}) == std::vector<float>{3, 0, 1, 0, 0});
  CHECK(reduced(min, {4, 3, 3, 3}) == std::vector<float>{3, 0, 1, 0, 0});
}

TEST_CASE("the greatest and the least of numbers with NaN is NaN, wherever it is") {
  for (size_t at = 0; at < 600; at += 7) {
    std::vector<float> x(600, 1);
    x[at] = std::numeric_limits<float>::quiet_NaN();
    for (const auto op : {static_cast<Tensor (*)(Tensor)>(max), static_cast<Tensor (*)(Tensor)>(min)}) {
      const std::vector<float> found = reduced(op, x);
      CHECK(std::isnan(found[0]));
      CHECK(found[at + 1] == 1);
    }
  }
}

TEST_CASE("the gradient of a product is right where factors are 0") {
  CHECK(reduced(prod, {2, 0, 3}) == std::vector<float>{0, 0, 6, 0});
  CHECK(reduced(prod, {0, 0, 3}) == std::vector<float>{0, 0, 0, 0});
}

}  // namespace tinyllm::test
