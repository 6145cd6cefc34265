// An op of your own, outside the library: mish(x) = x tanh(log(1 + e^x)), with its gradient.
// Source: Misra, "Mish: A Self Regularized Non-Monotonic Activation Function", 2019.
#include <tinyllm/tensor/op.h>
#include <tinyllm/testing.h>
#include <tinyllm/tinyllm.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace tl = tinyllm;

namespace {

// Calls f(i) for all elements, on all threads. The pieces depend on the size alone, so results do not depend on the
// number of threads.
template <class F>
void for_each_element(const tl::Launch& launch, F f) {
  constexpr int64_t kPiece = 4096;
  const int64_t size = launch.outputs[0].size();
  launch.pool->parallel_for((size + kPiece - 1) / kPiece, [&](int64_t piece) {
    for (int64_t i = piece * kPiece; i < std::min(size, (piece + 1) * kPiece); ++i) f(i);
  });
}

void run(const tl::Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  for_each_element(launch, [=](int64_t i) { y[i] = x[i] * std::tanh(std::log1p(std::exp(x[i]))); });
}

// With t = tanh(log(1 + e^x)): dy/dx = t + x (1 - t^2) sigmoid(x).
void run_grad(const tl::Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float* dy = launch.inputs[1].f32();
  float* dx = launch.outputs[0].f32();
  for_each_element(launch, [=](int64_t i) {
    const float t = std::tanh(std::log1p(std::exp(x[i])));
    dx[i] = dy[i] * (t + x[i] * (1 - t * t) / (1 + std::exp(-x[i])));
  });
}

// The result may take the memory of x or of dy.
const tl::Op kMishGrad{.name = "mish_grad", .run = run_grad, .in_place = 2};

std::vector<tl::Tensor> gradient(const tl::Backward& node) {
  const tl::Tensor x = node.inputs[0];
  return x.graph().append(kMishGrad, {x, node.output_grads[0]}, {{tl::f32, x.shape()}});
}

const tl::Op kMish{.name = "mish", .run = run, .gradient = gradient, .in_place = 1};

tl::Tensor mish(tl::Tensor x) {
  if (x.type() != tl::f32) throw tl::Error("mish: {} is {}, expected f32", x.str(), x.type().str());
  return x.graph().append(kMish, {x}, {{tl::f32, x.shape()}})[0];
}

}  // namespace

int main() {
  const auto layer = [](const std::vector<tl::Tensor>& a) { return mish(tl::linear(a[0], a[1])); };
  const std::vector<tl::TestArgument> arguments = {{.shape = {5, 7}}, {.shape = {3, 7}}};
  try {
    tl::check_gradients(layer, arguments);
    tl::check_threads(layer, arguments);
  } catch (const tl::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }

  tl::Graph graph;
  const tl::Tensor x = graph.input("x", tl::f32, {3});
  const tl::Tensor y = mish(x);
  tl::Program program = tl::compile(graph, {y});
  program.write("x", std::vector<float>{-1, 0, 1});
  program.run();
  for (const float value : program.read<float>(y)) std::printf("%.4f\n", static_cast<double>(value));
}
