// Finds w and b of y = x w^T + b from four points of y = 2 x_0 + 3 x_1 + 1.
#include <tinyllm/tinyllm.h>

#include <cstdio>

using namespace tinyllm;

int main() {
  Graph g;
  const Tensor x = g.input("x", f32, {4, 2}), y = g.input("y", f32, {4, 1});
  const Tensor w = g.parameter("w", f32, {1, 2}), b = g.parameter("b", f32, {1});
  const std::vector<Tensor> grads = gradients(mse(linear(x, w, b), y), {w, b});
  const Tensor rate = g.constant(0.1f, {1}), factor = g.constant(1, {1});
  Program program = compile(g, {sgd(w, grads[0], g.state("w.momentum", f32, {1, 2}), rate, factor, {}),
                                sgd(b, grads[1], g.state("b.momentum", f32, {1}), rate, factor, {})});
  program.write("x", std::vector<float>{0, 0, 0, 1, 1, 0, 1, 1});
  program.write("y", std::vector<float>{1, 4, 3, 6});
  for (int step = 0; step < 300; ++step) program.run();
  const std::span<const float> found = program.data<float>("w");
  std::printf("w = %.3f %.3f, b = %.3f\n", found[0], found[1], program.data<float>("b")[0]);
}
