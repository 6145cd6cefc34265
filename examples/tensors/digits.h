#pragma once

#include <tinyllm/tinyllm.h>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

// MNIST: images of handwritten digits, 28 by 28 pixels from 0 to 1, and their labels. `part` is "train" or "t10k".
// Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits".
struct Digits {
  static constexpr int64_t kPixels = 28 * 28;
  std::vector<float> pixels;
  std::vector<int32_t> labels;

  Digits(const std::string& folder, const std::string& part) {
    for (const unsigned char pixel : body(folder + "/" + part + "-images-idx3-ubyte", 16))
      pixels.push_back(pixel / 255.0f);
    for (const unsigned char label : body(folder + "/" + part + "-labels-idx1-ubyte", 8)) labels.push_back(label);
    if (pixels.size() != labels.size() * kPixels) {
      throw tinyllm::Error("{}: {} pixels and {} labels, expected {} pixels for each label", folder, pixels.size(),
                           labels.size(), kPixels);
    }
  }
  int64_t size() const { return static_cast<int64_t>(labels.size()); }

  // Digits [first, first + count) become the inputs "images" and "labels" of a program.
  void write(tinyllm::Program& program, int64_t first, int64_t count) const {
    program.write("images", std::span(pixels).subspan(static_cast<size_t>(first * kPixels),
                                                      static_cast<size_t>(count * kPixels)));
    program.write("labels", std::span(labels).subspan(static_cast<size_t>(first), static_cast<size_t>(count)));
  }

 private:
  static std::string body(const std::string& path, size_t header) {
    std::ifstream file(path, std::ios::binary);
    std::string bytes{std::istreambuf_iterator<char>(file), {}};
    if (bytes.size() < header) throw tinyllm::Error("{}: {} bytes, expected a file of MNIST", path, bytes.size());
    return bytes.substr(header);
  }
};

// Trains `logits`, a computation of the inputs "images" and "labels" of a batch, with Adam. Returns the accuracy on
// `test`. The rate falls to zero along a line.
template <class Model>
double train_and_test(const Model& model, const std::string& folder, int epochs, float top_rate) {
  using namespace tinyllm;
  constexpr int64_t kBatch = 100;
  const Digits train(folder, "train"), test(folder, "t10k");
  Graph g;
  const Tensor images = g.input("images", f32, {kBatch, Digits::kPixels}), labels = g.input("labels", i32, {kBatch});
  const auto [logits, parameters] = model(g, images);
  const Tensor loss = cross_entropy(logits, labels);
  const Tensor right = sum(cast(equal(argmax(logits, -1), labels), f32));

  const std::vector<Tensor> grads = gradients(loss, parameters);
  const Tensor step = g.input("step", i32, {1}), rate = g.input("rate", f32, {1}), factor = g.constant(1, {1});
  std::vector<Tensor> results = {loss};
  for (size_t i = 0; i < parameters.size(); ++i) {
    const Tensor p = parameters[i];
    const Tensor m = g.state(p.name() + ".m", f32, p.shape()), v = g.state(p.name() + ".v", f32, p.shape());
    results.push_back(adamw(p, grads[i], m, v, step, rate, factor, {}));
  }
  Store weights;
  Program trainer = compile(g, results, {.store = &weights});
  Program tester = compile(g, {right}, {.store = &weights});

  Random random(1);
  for (const Tensor& p : parameters) {
    if (p.shape().rank() == 1) continue;  // Biases begin at 0, matrices and kernels as He et al. (2015) found.
    const auto deviation =
        static_cast<float>(std::sqrt(2.0 / static_cast<double>(p.shape().size(1, p.shape().rank()))));
    for (float& x : trainer.data<float>(p.name())) x = deviation * static_cast<float>(random.normal());
  }
  const int64_t batches = train.size() / kBatch, steps = epochs * batches;
  float total = 0;
  for (int64_t i = 0; i < steps; ++i) {
    train.write(trainer, i % batches * kBatch, kBatch);
    trainer.write("step", std::vector{static_cast<int32_t>(i + 1)});
    trainer.write("rate", std::vector{top_rate * static_cast<float>(steps - i) / static_cast<float>(steps)});
    trainer.run();
    total += trainer.read<float>(loss)[0];
    if ((i + 1) % batches != 0) continue;
    std::printf("epoch %d: loss %.4f\n", static_cast<int>((i + 1) / batches), total / static_cast<float>(batches));
    total = 0;
  }
  double correct = 0;
  for (int64_t i = 0; i < test.size(); i += kBatch) {
    test.write(tester, i, kBatch);
    tester.run();
    correct += tester.read<float>(right)[0];
  }
  return correct / static_cast<double>(test.size());
}
