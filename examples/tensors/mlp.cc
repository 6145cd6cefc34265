// A network of two layers that reads handwritten digits: mlp <folder with MNIST's four files>.
#include "digits.h"

using namespace tinyllm;

struct Model {
  Tensor logits;
  std::vector<Tensor> parameters;
};

Model mlp(Graph& g, Tensor images) {
  const Tensor w1 = g.parameter("w1", f32, {256, Digits::kPixels}), b1 = g.parameter("b1", f32, {256});
  const Tensor w2 = g.parameter("w2", f32, {10, 256}), b2 = g.parameter("b2", f32, {10});
  return {linear(relu(linear(images, w1, b1)), w2, b2), {w1, b1, w2, b2}};
}

int main(int argc, char** argv) try {
  if (argc != 2) throw Error("usage: mlp <folder>");
  std::printf("accuracy %.4f\n", train_and_test(mlp, argv[1], 5, 2e-3f));
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
