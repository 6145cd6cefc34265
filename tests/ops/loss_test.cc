#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <limits>
#include <vector>

namespace tinyllm::test {
namespace {

using Floats = std::vector<float>;

// A loss of two rows of numbers, then its gradients with respect to each.
Floats loss_and_gradients(Tensor (*loss)(Tensor, Tensor), const Floats& x, const Floats& y) {
  Graph graph;
  const auto n = static_cast<int64_t>(x.size());
  const Tensor a = graph.input("x", f32, {1, n}), b = graph.input("y", f32, {1, n});
  const Tensor result = loss(a, b);
  const std::vector<Tensor> grads = gradients(result, {a, b});
  Program program = compile(graph, {result, grads[0], grads[1]}, {.pool = ThreadPool(1)});
  program.write("x", x);
  program.write("y", y);
  program.run();
  Floats all = {program.read<float>(result)[0]};
  for (const Tensor& grad : grads) {
    for (const float d : program.read<float>(grad)) all.push_back(d);
  }
  return all;
}

}  // namespace

TEST_CASE("binary cross-entropy keeps the small loss of a sure and right answer") {
  const Floats right = loss_and_gradients(binary_cross_entropy_with_logits, {16}, {1});
  CHECK(right[0] == doctest::Approx(std::log1p(std::exp(-16.0))).epsilon(1e-6));
  CHECK(loss_and_gradients(binary_cross_entropy_with_logits, {1000, -1000}, {1, 0})[0] == 0);
  CHECK(loss_and_gradients(binary_cross_entropy_with_logits, {1000, -1000}, {0, 1})[0] == 1000);
  const Floats wrong = loss_and_gradients(binary_cross_entropy_with_logits, {-1000}, {1});
  CHECK(wrong[0] == 1000);
  CHECK(wrong[1] == -1);
}

TEST_CASE("a probability of 0 counts nothing in kl_div, even where the other is 0 too") {
  const float infinity = std::numeric_limits<float>::infinity();
  const Floats found = loss_and_gradients(kl_div, {std::log(0.5f), -infinity, std::log(0.5f)}, {1, 0, 0});
  CHECK(found[0] == doctest::Approx(std::log(2.0)).epsilon(1e-6));
  for (const float x : found) CHECK(std::isfinite(x));
  CHECK(found[2] == 0);
  CHECK(found[3] == 0);
}

}  // namespace tinyllm::test
