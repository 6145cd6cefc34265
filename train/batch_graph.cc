#include <tinyllm/train/batch_graph.h>

#include <tinyllm/ops/ops.h>

#include <algorithm>

namespace tinyllm {

Tensor batch_loss(Graph& graph, const ModelConfig& config, const Recipe& recipe, const LossFn& loss, Shape shape,
                  const Dropout& dropout, std::vector<Tensor>* residuals) {
  const TransformerInputs inputs{graph.input("tokens", i32, shape), graph.input("positions", i32, shape),
                                 graph.input("starts", i32, shape), dropout, residuals};
  return loss({graph, config, recipe, inputs, graph.input("targets", i32, shape)});
}

void write_rows(Program& program, const Batch& batch, int64_t first, int64_t rows) {
  const auto part = [&](const auto& all) {
    return std::span(all).subspan(static_cast<size_t>(first * batch.length), static_cast<size_t>(rows * batch.length));
  };
  program.write("tokens", part(batch.tokens));
  program.write("positions", part(batch.positions));
  program.write("starts", part(batch.starts));
  program.write("targets", part(batch.targets));
  for (const auto& [name, values] : batch.more) program.write(name, part(values));
}

int64_t count_learned(std::span<const int32_t> targets) {
  return static_cast<int64_t>(targets.size()) - std::count(targets.begin(), targets.end(), kIgnore);
}

}  // namespace tinyllm
