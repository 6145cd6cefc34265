#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <limits>

namespace tinyllm::test {

TEST_CASE("a gradient that is not finite changes nothing") {
  Graph graph;
  const Shape shape = {6, 4};
  const Tensor grad = graph.input("grad", f32, shape);
  const Tensor step = graph.input("step", i32, {1});
  const Tensor rate = graph.input("rate", f32, {1});
  const ClippedNorm clipped = clip_by_global_norm({grad}, 1);
  const std::vector<Tensor> results = {
      adamw(graph.parameter("a", f32, shape), grad, graph.state("m", f32, shape), graph.state("v", f32, shape), step,
            rate, clipped.factor, {}),
      muon(graph.parameter("b", f32, shape), grad, graph.state("momentum", f32, shape), rate, clipped.factor, {}),
      clipped.norm};
  Program program = compile(graph, results, {.pool = ThreadPool(2)});
  std::vector<float> values(static_cast<size_t>(shape.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = 0.25f * static_cast<float>(i + 1);
  for (const char* name : {"a", "b", "m", "v", "momentum", "grad"}) program.write(name, values);
  program.write("step", std::vector<int32_t>{3});
  program.write("rate", std::vector<float>{0.1f});
  using Limits = std::numeric_limits<float>;
  // The last is finite, but two of it have a norm that is no float.
  for (const float wrong : {Limits::quiet_NaN(), Limits::infinity(), Limits::max()}) {
    program.data<float>("grad")[5] = wrong;
    program.data<float>("grad")[6] = wrong;
    program.run();
    for (const char* name : {"a", "b", "m", "v", "momentum"}) {
      const std::span<const float> now = program.data<float>(name);
      CHECK_MESSAGE(std::equal(values.begin(), values.end(), now.begin()), name);
    }
    CHECK_FALSE(std::isfinite(program.read<float>(clipped.norm)[0]));
  }
  program.write("grad", values);
  program.run();
  CHECK(program.data<float>("a")[0] != values[0]);
  CHECK(program.data<float>("b")[0] != values[0]);
}

}  // namespace tinyllm::test
