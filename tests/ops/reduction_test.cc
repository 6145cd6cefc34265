#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
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
