#include <tinyllm/train/batch_graph.h>

namespace tinyllm {

Tensor batch_loss(Graph& graph, const ModelConfig& config, const Recipe& recipe, const Objective& objective,
                  Shape shape, const Dropout& dropout, PackedInput packed_input, std::vector<Tensor>* residuals) {
  const TransformerInputs inputs{graph.input("tokens", i32, shape),
                                 graph.input("positions", i32, shape),
                                 graph.input("starts", i32, shape),
                                 dropout,
                                 packed_input,
                                 residuals};
  return objective.loss({graph, config, recipe, inputs, graph.input("targets", i32, shape)});
}

void write_batch(Program& program, const Batch& batch) {
  program.write("tokens", batch.tokens);
  program.write("positions", batch.positions);
  program.write("starts", batch.starts);
  program.write("targets", batch.targets);
  for (const auto& [name, values] : batch.more) program.write(name, values);
}

std::vector<Batch> divided(const Batch& batch, int64_t parts) {
  if (parts == 1) return {batch};
  std::vector<Batch> all;
  const int64_t rows = batch.rows / parts;
  const auto size = static_cast<std::ptrdiff_t>(rows * batch.length);
  for (int64_t part = 0; part < parts; ++part) {
    const auto of = [&]<class T>(const std::vector<T>& values) {
      const auto begin = values.begin() + part * size;
      return std::vector<T>(begin, begin + size);
    };
    Batch& piece = all.emplace_back(
        Batch{rows, batch.length, of(batch.tokens), of(batch.targets), of(batch.positions), of(batch.starts)});
    for (const auto& [name, values] : batch.more) piece.more[name] = of(values);
  }
  return all;
}

}  // namespace tinyllm
