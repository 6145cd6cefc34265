// A program outside the tree: fits y = 3x with one weight, by gradient descent.
#include <tinyllm/tinyllm.h>

#include <cmath>
#include <vector>

namespace tl = tinyllm;

int main() {
  tl::Graph graph;
  const tl::Tensor x = graph.input("x", tl::f32, {8, 1});
  const tl::Tensor target = graph.input("target", tl::f32, {8, 1});
  const tl::Tensor w = graph.parameter("w", tl::f32, {1, 1});
  const tl::Tensor loss = tl::mean(tl::square(tl::linear(x, w) - target));
  const tl::Tensor grad = tl::gradients(loss, {w})[0];
  tl::Program program = tl::compile(graph, {loss, grad}, {.pool = tl::ThreadPool(2)});
  program.write("x", std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7});
  program.write("target", std::vector<float>{0, 3, 6, 9, 12, 15, 18, 21});
  for (int step = 0; step < 100; ++step) {
    program.run();
    program.data<float>("w")[0] -= 0.02f * program.read<float>(grad)[0];
  }
  fmt::print("w = {:.3f}, {}\n", program.data<float>("w")[0], program.memory());
  return std::abs(program.data<float>("w")[0] - 3.0f) < 1e-3f ? 0 : 1;
}
