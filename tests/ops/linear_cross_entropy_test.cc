#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/program.h>

namespace tinyllm::test {
namespace {

constexpr int64_t kRows = 2100;  // Several chunks.
constexpr int64_t kC = 24;
constexpr int64_t kV = 300;

std::vector<float> uniform(size_t size, uint64_t seed) {
  Random random(seed);
  std::vector<float> values(size);
  for (float& x : values) x = static_cast<float>(random.uniform()) - 0.5f;
  return values;
}

struct Head {
  Graph graph;
  Tensor x = graph.input("x", f32, {kRows, kC});
  Tensor w = graph.input("w", f32, {kV, kC});
  Tensor targets = graph.input("targets", i32, {kRows});
  Tensor loss = linear_cross_entropy(x, w, targets);

  void fill(Program& program) const {
    program.write("x", uniform(kRows * kC, 1));
    program.write("w", uniform(kV * kC, 2));
    std::vector<int32_t> places(kRows);
    for (size_t i = 0; i < places.size(); ++i) places[i] = i % 5 == 0 ? kIgnore : static_cast<int32_t>(i * 7 % kV);
    program.write("targets", places);
  }
  float loss_of(Program& program) const {
    fill(program);
    program.run();
    return program.read<float>(loss)[0];
  }
};

}  // namespace

TEST_CASE("the fused head computes gradients when they are asked for, and no logits are kept") {
  Head head;
  const std::vector<Tensor> grads = gradients(head.loss, {head.x, head.w});
  Program alone = compile(head.graph, {head.loss}, {.pool = ThreadPool(2)});
  Program both = compile(head.graph, {head.loss, grads[0], grads[1]}, {.pool = ThreadPool(2)});
  CHECK(both.memory().activations >= alone.memory().activations + (kRows + kV) * kC * sizeof(float));
  CHECK(both.memory().activations < kRows * kV * sizeof(float));
  CHECK(head.loss_of(alone) == head.loss_of(both));
}

TEST_CASE("a gradient alone needs no loss") {
  Head head;
  const std::vector<Tensor> grads = gradients(head.loss, {head.x, head.w});
  Program one = compile(head.graph, {grads[1]}, {.pool = ThreadPool(2)});
  Program both = compile(head.graph, grads, {.pool = ThreadPool(2)});
  for (Program* program : {&one, &both}) {
    head.fill(*program);
    program->run();
  }
  const auto found = one.read<float>(grads[1]);
  CHECK(std::equal(found.begin(), found.end(), both.read<float>(grads[1]).begin()));
}

TEST_CASE("the gradient of a loss that is scaled is scaled") {
  Head head;
  const std::vector<Tensor> plain = gradients(head.loss, {head.x, head.w});
  const std::vector<Tensor> scaled = gradients(scale(head.loss, 4), {head.x, head.w});
  Program program = compile(head.graph, {plain[0], plain[1], scaled[0], scaled[1]}, {.pool = ThreadPool(2)});
  head.fill(program);
  program.run();
  for (size_t g = 0; g < 2; ++g) {
    const auto expected = program.read<float>(plain[g]);
    const auto found = program.read<float>(scaled[g]);
    for (size_t i = 0; i < found.size(); ++i) REQUIRE(found[i] == 4 * expected[i]);
  }
}

TEST_CASE("the fused head has no second derivative, and refuses targets outside the vocabulary") {
  Head head;
  const Tensor dx = gradients(head.loss, {head.x})[0];
  CHECK_THROWS_WITH_AS(gradients(sum(dx), {head.x}), "gradients: linear_cross_entropy#0 [1] has no second derivative",
                       Error);
  Program program = compile(head.graph, {head.loss}, {.pool = ThreadPool(2)});
  head.fill(program);
  program.data<int32_t>("targets")[3] = kV;
  CHECK_THROWS_WITH_AS(program.run(),
                       "linear_cross_entropy: target 300 at position 3, expected 0 to 299, or -100 for none", Error);
}

}  // namespace tinyllm::test
