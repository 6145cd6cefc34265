#include <doctest/doctest.h>

#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/formats/safetensors.h>
#include <tinyllm/tinyllm.h>

#include "close.h"
#include "test_data.h"

#include <cmath>

// The model against an independent implementation: logits, loss, gradients and three optimiser steps, computed in
// double precision with PyTorch 1.13.1 from the same weights. Tolerance: 1e-4 of the tensor's largest magnitude.
namespace tinyllm::test {
namespace {

constexpr double kTolerance = 1e-4;
const ModelConfig kTiny{
    .vocab_size = 97, .dim = 64, .n_layers = 2, .n_heads = 4, .ffn_dim = 128, .context = 16, .dropout = 0};

Safetensors data(const char* name) { return Safetensors(test_data(name)); }

// The training step: logits, loss, gradients; and, when asked for, the update.
struct Step {
  Graph graph;
  Tensor logits, loss, norm;
  std::vector<WeightSpec> specs = weight_specs(kTiny);
  std::vector<Tensor> grads, updates;

  Step() {
    const Tensor tokens = graph.input("tokens", i32, {2, 16});
    const Tensor positions = graph.input("positions", i32, {2, 16});
    const Tensor hidden = transformer(graph, kTiny, {tokens, positions});
    loss = lm_loss(kTiny, hidden, graph.input("targets", i32, {2, 16}));
    logits = linear(hidden, graph.find("lm_head.weight"));
    std::vector<Tensor> weights;
    for (const WeightSpec& spec : specs) weights.push_back(graph.find(spec.name));
    grads = gradients(loss, weights);
    const ClippedNorm clipped = clip_by_global_norm(grads, 1.0f);
    norm = clipped.norm;
    const Tensor step = graph.input("step", i32, {1});
    const Tensor rate = graph.input("rate", f32, {1});
    for (size_t i = 0; i < weights.size(); ++i) {
      updates.push_back(adamw(weights[i], grads[i], graph.state("m." + specs[i].name, f32, specs[i].shape),
                              graph.state("v." + specs[i].name, f32, specs[i].shape), step, rate, clipped.factor, {}));
    }
  }

  void load(Program& program, int batch) const {
    const Safetensors inputs = data("tiny_inputs.safetensors");
    program.write("tokens", inputs.values<int32_t>(fmt::format("tokens.{}", batch)));
    program.write("targets", inputs.values<int32_t>(fmt::format("targets.{}", batch)));
    std::vector<int32_t> positions(32);
    for (size_t i = 0; i < positions.size(); ++i) positions[i] = static_cast<int32_t>(i % 16);
    program.write("positions", positions);
  }
  void load_weights(Program& program) const {
    const Safetensors weights = data("tiny_weights.safetensors");
    for (const WeightSpec& spec : specs) weights.read(spec.name, spec.shape, program.data<float>(spec.name));
  }
};

}  // namespace

TEST_CASE("logits, loss and every gradient equal the reference") {
  Step step;
  std::vector<Tensor> outputs = step.grads;
  outputs.insert(outputs.end(), {step.logits, step.loss, step.norm});
  Program program = compile(step.graph, outputs, {.pool = ThreadPool(2)});
  step.load_weights(program);
  step.load(program, 0);
  program.run();
  const Safetensors expected = data("tiny_logits_loss.safetensors");
  check_close("logits", program.read<float>(step.logits), expected.values<double>("logits"), kTolerance);
  check_close("loss", program.read<float>(step.loss), expected.values<double>("loss"), kTolerance);
  const Safetensors grads = data("tiny_grads.safetensors");
  CHECK(grads.entries().size() == step.specs.size());
  for (size_t i = 0; i < step.specs.size(); ++i) {
    check_close(step.specs[i].name, program.read<float>(step.grads[i]), grads.values<double>(step.specs[i].name),
                kTolerance);
  }
  CHECK(double(program.read<float>(step.norm)[0]) ==
        doctest::Approx(std::stod(grads.metadata().at("grad_norm"))).epsilon(1e-5));
}

TEST_CASE("three clipped AdamW steps end where the reference ends") {
  Step step;
  Program program = compile(step.graph, step.updates, {.pool = ThreadPool(2)});
  step.load_weights(program);
  program.write("rate", std::vector<float>{3e-4f});
  for (int batch = 0; batch < 3; ++batch) {
    step.load(program, batch);
    program.write("step", std::vector<int32_t>{batch + 1});
    program.run();
  }
  const Safetensors expected = data("tiny_after_3_adamw.safetensors");
  for (const WeightSpec& spec : step.specs) {
    check_close(spec.name, program.data<float>(spec.name), expected.values<double>(spec.name), kTolerance);
  }
}

TEST_CASE("the default model has 41.6 million parameters") {
  const int64_t block = 3 * 512 * 512 + 512 * 512 + 2 * 2048 * 512 + 2048 + 512 + 2 * 512;
  CHECK(parameter_count(ModelConfig{}) == 2 * 16000 * 512 + 8 * block + 512);
}

}  // namespace tinyllm::test
