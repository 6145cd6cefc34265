// A convolutional network that reads handwritten digits: cnn <folder with MNIST's four files>.
#include "digits.h"

using namespace tinyllm;

struct Model {
  Tensor logits;
  std::vector<Tensor> parameters;
};

// Two convolutions, each followed by a pool that halves the image, and two linear layers. Activations are relu.
Model cnn(Graph& g, Tensor images) {
  const Tensor k1 = g.parameter("k1", f32, {16, 1, 5, 5}), b1 = g.parameter("b1", f32, {16});
  const Tensor k2 = g.parameter("k2", f32, {32, 16, 5, 5}), b2 = g.parameter("b2", f32, {32});
  const Tensor w1 = g.parameter("w1", f32, {128, 32 * 7 * 7}), c1 = g.parameter("c1", f32, {128});
  const Tensor w2 = g.parameter("w2", f32, {10, 128}), c2 = g.parameter("c2", f32, {10});
  Tensor x = reshape(images, {-1, 1, 28, 28});
  x = max_pool2d(relu(conv2d(x, k1, b1, {.padding = {2, 2}})));
  x = max_pool2d(relu(conv2d(x, k2, b2, {.padding = {2, 2}})));
  x = relu(linear(reshape(x, {-1, 32 * 7 * 7}), w1, c1));
  return {linear(x, w2, c2), {k1, b1, k2, b2, w1, c1, w2, c2}};
}

int main(int argc, char** argv) try {
  if (argc != 2) throw Error("usage: cnn <folder>");
  std::printf("accuracy %.4f\n", train_and_test(cnn, argv[1], 3, 2e-3f));
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
