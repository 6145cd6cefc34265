#include <tinyllm/train/evaluator.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/train/batch_graph.h>
#include <tinyllm/train/objectives/next_token.h>

#include <algorithm>

namespace tinyllm {

struct Evaluator::State {
  int64_t rows;
  std::vector<int32_t> bytes;  // The size of each token's text.
  Objective objective;
  Tensor loss;
  Program program;
};

Evaluator::Evaluator(const Model& model, int64_t rows, int64_t length, const ThreadPool& pool, Objective objective) {
  Graph graph;
  const Tensor loss = batch_loss(graph, model.config, {}, objective, {rows, length});
  std::vector<int32_t> bytes;
  for (int32_t token = 0; token < model.tokenizer->size(); ++token) {
    bytes.push_back(static_cast<int32_t>(model.tokenizer->decode({&token, 1}).size()));
  }
  state_ = std::make_unique<State>(State{rows, std::move(bytes), std::move(objective), loss,
                                         compile(graph, {loss}, {.pool = pool, .store = model.weights.get()})});
}
Evaluator::~Evaluator() = default;

Evaluation Evaluator::evaluate(const Batch& batch) {
  Evaluation result{.loss = 0, .targets = count_learned(batch.targets), .bytes = 0};
  for (const int32_t target : batch.targets) {
    if (target != kIgnore) result.bytes += state_->bytes[static_cast<size_t>(target)];
  }
  if (state_->objective.weight(batch) == 0) return result;
  write_batch(state_->program, batch);
  state_->program.run();
  result.loss = static_cast<double>(state_->program.read<float>(state_->loss)[0]);
  return result;
}

std::vector<int64_t> Evaluator::batches_of(const RowSource& data, int64_t max_rows) const {
  const int64_t batches = ceil_div(std::min(data.rows(), max_rows), state_->rows);
  const int64_t all = ceil_div(data.rows(), state_->rows);
  std::vector<int64_t> first;
  for (int64_t i = 0; i < batches; ++i) first.push_back(i * all / batches * state_->rows);
  return first;
}

Evaluation Evaluator::evaluate_batch(const RowSource& data, int64_t first) {
  return evaluate(data.in_order(first, state_->rows));
}

Evaluation Evaluator::evaluate(const RowSource& data, int64_t max_rows) {
  double total = 0, weights = 0;
  Evaluation result{};
  for (const int64_t first : batches_of(data, max_rows)) {
    const Batch batch = data.in_order(first, state_->rows);
    const double weight = state_->objective.weight(batch);
    const Evaluation one = evaluate(batch);
    total += one.loss * weight;
    weights += weight;
    result.targets += one.targets;
    result.bytes += one.bytes;
  }
  if (weights == 0) throw Error("evaluation: the data has no targets");
  result.loss = total / weights;
  return result;
}

}  // namespace tinyllm
