#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include "close.h"
#include "temp_folder.h"
#include "train/sample_run.h"

#include <cmath>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tinyllm::test {
namespace {

constexpr int64_t kLength = 12;

// Tokens of a row before its answer: later rows have fewer targets, so that targets are not what pairs and rows count.
int64_t prompt_of(int64_t row) { return 3 + row / 2 % 8; }

// Rows of random tokens, each a sample of its own whose answer is learned.
Batch random_rows(int64_t rows, uint64_t seed) {
  Random random(seed);
  const auto size = static_cast<size_t>(rows * kLength);
  Batch batch{rows,
              kLength,
              std::vector<int32_t>(size),
              std::vector<int32_t>(size, kIgnore),
              std::vector<int32_t>(size),
              std::vector<int32_t>(size, 0)};
  for (int64_t i = 0; i < rows * kLength; ++i) {
    const auto at = static_cast<size_t>(i);
    batch.positions[at] = static_cast<int32_t>(i % kLength);
    batch.tokens[at] = static_cast<int32_t>(random.below(100));
    if (i % kLength >= prompt_of(i / kLength)) batch.targets[at] = static_cast<int32_t>(random.below(100));
  }
  return batch;
}

// The log-probability of each target, [rows, length].
Tensor log_probs(const LossInputs& in) {
  return token_log_probs(in.config, transformer(in.graph, in.config, in.inputs), in.targets);
}

// ---- Preference pairs -----------------------------------------------------------------------------------------------

constexpr float kBeta = 0.5f;

// Rows 2i and 2i + 1 are the better and the worse answer of pair i. The mean over pairs of -log(sigmoid(beta (b - w))),
// b and w being the sums over an answer of log p - log p of the reference model.
// Source: Rafailov et al., "Direct Preference Optimization", 2023.
Objective dpo() {
  const auto loss = [](const LossInputs& in) {
    const Tensor reference = in.graph.input("reference", f32, in.targets.shape());
    const int64_t pairs = in.targets.shape()[0] / 2;
    const Tensor gains = scale(sum(add(log_probs(in), scale(reference, -1)), 1), kBeta);
    // -log(sigmoid(b - w)) is the cross-entropy of (b, w) with target 0, as every row begins at place 0.
    const Tensor zeros = reshape(slice(slice(in.inputs.starts, 1, 0, 1), 0, 0, pairs), {pairs});
    return cross_entropy(reshape(gains, {pairs, 2}), zeros);
  };
  return {loss, [](const Batch& batch) { return static_cast<double>(batch.rows / 2); }};
}

// With the log-probabilities of a model as the reference.
Batch pairs_of(Model& reference, int64_t rows, uint64_t seed) {
  Batch batch = random_rows(rows, seed);
  Graph graph;
  const Shape shape{rows, kLength};
  const TransformerInputs inputs{graph.input("tokens", i32, shape), graph.input("positions", i32, shape),
                                 graph.input("starts", i32, shape)};
  const Tensor result = log_probs({graph, reference.config, {}, inputs, graph.input("targets", i32, shape)});
  Program program = compile(graph, {result}, {.pool = ThreadPool(1), .store = reference.weights.get()});
  program.write("tokens", batch.tokens);
  program.write("positions", batch.positions);
  program.write("starts", batch.starts);
  program.write("targets", batch.targets);
  program.run();
  const auto values = program.read<float>(result);
  batch.more["reference"] = {values.begin(), values.end()};
  return batch;
}

// ---- Answers with advantages ----------------------------------------------------------------------------------------

// The mean over answers of -advantage times the mean log-probability of the answer's tokens: the gradient of GRPO where
// the model that answered is the one that learns. "scale" has advantage / tokens at each token of an answer.
// Source: Shao et al., "DeepSeekMath", 2024.
Objective policy_gradient() {
  const auto loss = [](const LossInputs& in) {
    const Tensor weights = in.graph.input("scale", f32, in.targets.shape());
    return scale(sum(mul(log_probs(in), weights)), -1 / static_cast<float>(in.targets.shape()[0]));
  };
  return {loss, [](const Batch& batch) { return static_cast<double>(batch.rows); }};
}

Batch answers(int64_t rows, uint64_t seed) {
  Batch batch = random_rows(rows, seed);
  std::vector<float>& weights = batch.more["scale"];
  for (int64_t i = 0; i < rows * kLength; ++i) {
    const int64_t row = i / kLength;
    const float advantage = row % 2 == 0 ? 1.0f : -1.0f;
    const int64_t prompt = prompt_of(row);
    weights.push_back(i % kLength >= prompt ? advantage / static_cast<float>(kLength - prompt) : 0.0f);
  }
  return batch;
}

// ---- One step -------------------------------------------------------------------------------------------------------

// What a first step computes.
struct FirstStep {
  Trainer::Step step;
  std::vector<float> gradients;

  FirstStep(const Objective& objective, const Batch& batch, int64_t accumulate) {
    Model model = sample_model(0);
    ThreadPool pool(2);
    const Recipe recipe{.batch_size = batch.rows / accumulate, .seq_len = kLength, .accumulate = accumulate};
    const auto copy = [this](StepGradients& found) { gradients.assign(found.values.begin(), found.values.end()); };
    step = Trainer(model, recipe, pool, {.objective = objective, .on_gradients = copy}).step(batch);
  }
};

// Sums over the batch in another order: each partial sum is rounded by 2^-24 of itself at most. What is summed are
// differences between log-probabilities, up to ten times as large as their sum.
constexpr double kTolerance = 10 * 16 * kLength * 0x1p-24;

void check_parts(const Objective& objective, const Batch& batch) {
  const FirstStep whole(objective, batch, 1);
  const FirstStep parts(objective, batch, 4);
  CHECK(whole.step.weight == parts.step.weight);
  CHECK(whole.step.grad_norm > 0);
  check_close("loss", std::vector{parts.step.loss}, std::vector{whole.step.loss}, kTolerance, 1);
  check_close("gradients", parts.gradients, whole.gradients, kTolerance);
}

// Repeats one step; returns the first and the last loss.
std::pair<float, float> train(Model& model, const Objective& objective, const Batch& batch) {
  ThreadPool pool(2);
  constexpr int64_t kSteps = 20;
  Trainer trainer(model,
                  {.batch_size = batch.rows, .seq_len = kLength, .steps = kSteps, .learning_rate = 3e-3f, .warmup = 1},
                  pool, {.objective = objective});
  const float first = trainer.step(batch).loss;
  for (int64_t i = 2; i < kSteps; ++i) trainer.step(batch);
  return {first, trainer.step(batch).loss};
}

}  // namespace

TEST_CASE("preference pairs: the loss begins at log 2, falls, and the better answers become likelier than the worse") {
  Model reference = sample_model(0), model = sample_model(0);
  const Batch batch = pairs_of(reference, 8, 1);
  const auto [first, last] = train(model, dpo(), batch);
  CHECK(double(first) == doctest::Approx(std::numbers::ln2).epsilon(1e-5));
  CHECK(last < 0.5f * first);
  const std::vector<float> before = batch.more.at("reference");
  const std::vector<float> now = pairs_of(model, 8, 1).more.at("reference");
  for (size_t pair = 0; pair < 4; ++pair) {
    double gain = 0;  // Of the better answer over the worse.
    for (size_t i = 0; i < kLength; ++i) {
      const size_t better = 2 * pair * kLength + i, worse = better + kLength;
      gain += double(now[better] - before[better]) - double(now[worse] - before[worse]);
    }
    CHECK(gain > 0);
  }
}

TEST_CASE("a policy gradient makes answers with a positive advantage likelier and the others less likely") {
  Model model = sample_model(0);
  const Batch batch = answers(8, 2);
  const std::vector<float> before = pairs_of(model, 8, 2).more.at("reference");
  const auto [first, last] = train(model, policy_gradient(), batch);
  CHECK(last < first);
  const std::vector<float> now = pairs_of(model, 8, 2).more.at("reference");
  for (size_t row = 0; row < 8; ++row) {
    double change = 0;
    for (size_t i = row * kLength; i < (row + 1) * kLength; ++i) change += double(now[i] - before[i]);
    CHECK((row % 2 == 0 ? change : -change) > 0);
  }
}

TEST_CASE("four small batches train what a large one trains, whatever the objective counts") {
  Model model = sample_model(0);
  check_parts(dpo(), pairs_of(model, 16, 3));
  check_parts(policy_gradient(), answers(16, 4));
  Batch uneven = random_rows(16, 5);  // The first rows have fewer targets.
  std::fill_n(uneven.targets.begin(), 3 * kLength, kIgnore);
  check_parts(next_token(), uneven);
  std::fill_n(uneven.targets.begin(), 6 * kLength, kIgnore);  // The first part has none.
  check_parts(next_token(), uneven);
}

TEST_CASE("a step in two halves has the bits of one program, and gradients are one block in the order of weights") {
  const TempFolder folder;
  Model fused_model = sample_model(), model = sample_model();
  ThreadPool pool(2);
  const Recipe recipe{.batch_size = 3, .seq_len = 40, .warmup = 1};
  const Dataset data = sample_chats(model);
  double squares = 0;
  const auto on_gradients = [&](const StepGradients& gradients) {
    squares = 0;
    for (const float x : gradients.values) squares += double(x) * double(x);
    int64_t elements = 0;
    for (const WeightSpec& spec : trained_specs(model.config)) elements += (spec.shape.size() + 15) / 16 * 16;
    CHECK(gradients.values.size() <= size_t(elements));
    CHECK(gradients.values.size() >= size_t(parameter_count(model.config)));
  };
  Trainer fused(fused_model, recipe, pool), halves(model, recipe, pool, {.on_gradients = on_gradients});
  for (int64_t step = 0; step < 3; ++step) {
    const Trainer::Step a = fused.step(data.batch(3, 1, step)), b = halves.step(data.batch(3, 1, step));
    CHECK(a.loss == b.loss);
    CHECK(a.grad_norm == b.grad_norm);
    CHECK(std::sqrt(squares) == doctest::Approx(double(b.grad_norm)).epsilon(1e-6));
  }
  fused.save(folder / "fused", {});
  halves.save(folder / "halves", {});
  CHECK(read_file(folder / "fused") == read_file(folder / "halves"));
  CHECK(fused.memory().states + 4 * size_t(parameter_count(model.config)) <= halves.memory().states);
}

namespace {

// A sum over processes, which are threads here, in the order of their ranks.
class AllReduce {
 public:
  explicit AllReduce(int ranks) : parts_(static_cast<size_t>(ranks)) {}

  void operator()(int rank, StepGradients& g) {
    std::vector<double> mine = {g.loss * g.weight, g.weight};
    for (const float x : g.values) mine.push_back(double(x) * g.weight);
    std::unique_lock lock(mutex_);
    parts_[static_cast<size_t>(rank)] = std::move(mine);
    if (++arrived_ == static_cast<int>(parts_.size())) all_here_.notify_all();
    all_here_.wait(lock, [&] { return arrived_ == static_cast<int>(parts_.size()); });
    const auto total = [&](size_t i) {
      double sum = 0;
      for (const std::vector<double>& part : parts_) sum += part[i];
      return sum;
    };
    g.weight = total(1);
    g.loss = total(0) / g.weight;
    for (size_t i = 0; i < g.values.size(); ++i) g.values[i] = static_cast<float>(total(i + 2) / g.weight);
  }

 private:
  std::mutex mutex_;
  std::condition_variable all_here_;
  int arrived_ = 0;
  std::vector<std::vector<double>> parts_;
};

}  // namespace

TEST_CASE("processes that share their gradients take the step of one with all the rows, one without targets too") {
  constexpr int kRanks = 4;
  Batch batch = random_rows(16, 6);
  std::fill_n(batch.targets.begin(), 6 * kLength, kIgnore);  // The first process has none.
  const FirstStep whole(next_token(), batch, 1);
  const Recipe recipe{.batch_size = 16 / kRanks, .seq_len = kLength};
  std::vector<Model> models;
  for (int rank = 0; rank < kRanks; ++rank) models.push_back(sample_model(0));
  std::vector<Trainer::Step> steps(kRanks);
  AllReduce all_reduce(kRanks);
  std::vector<std::thread> processes;
  for (int rank = 0; rank < kRanks; ++rank) {
    processes.emplace_back([&, rank] {
      ThreadPool pool(1);
      const auto part = [&](const std::vector<int32_t>& all) {
        const auto size = static_cast<std::ptrdiff_t>(all.size() / kRanks);
        return std::vector<int32_t>(all.begin() + rank * size, all.begin() + (rank + 1) * size);
      };
      const Batch mine{16 / kRanks,           kLength,           part(batch.tokens), part(batch.targets),
                       part(batch.positions), part(batch.starts)};
      const auto share = [&](StepGradients& gradients) { all_reduce(rank, gradients); };
      steps[size_t(rank)] = Trainer(models[size_t(rank)], recipe, pool, {.on_gradients = share}).step(mine);
    });
  }
  for (std::thread& process : processes) process.join();
  for (const Trainer::Step& step : steps) {
    CHECK(step.weight == whole.step.weight);
    CHECK(double(step.loss) == doctest::Approx(double(whole.step.loss)).epsilon(kTolerance));
    CHECK(double(step.grad_norm) == doctest::Approx(double(whole.step.grad_norm)).epsilon(kTolerance));
  }
  const auto weights = [&](int rank) {
    return models[size_t(rank)].weights->at("blocks.0.attn.qkv.weight").as<float>();
  };
  for (int rank = 1; rank < kRanks; ++rank) CHECK(std::ranges::equal(weights(0), weights(rank)));
}

TEST_CASE("a weight that is no number is refused") {
  Model model = sample_model(0);
  ThreadPool pool(1);
  Objective objective = next_token();
  objective.weight = [](const Batch&) { return NAN; };
  Trainer trainer(model, {.batch_size = 2, .seq_len = kLength}, pool, {.objective = objective});
  CHECK_THROWS_WITH_AS(trainer.step(random_rows(2, 1)),
                       "training: the objective gives a batch the weight nan, expected a finite number of 0 or more",
                       Error);
}

}  // namespace tinyllm::test
