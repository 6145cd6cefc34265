#include <doctest/doctest.h>

#include <tinyllm/model/lora.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/testing.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/objectives/distillation.h>
#include <tinyllm/train/run.h>

#include "close.h"
#include "model/packed_model.h"
#include "temp_folder.h"
#include "train/short_run.h"

#include <cmath>

namespace tinyllm::test {
namespace {

constexpr int64_t kRows = 3;
constexpr int64_t kLength = 40;

// A teacher of another size and form than sample_model.
Model teacher_model(int64_t context = 48) {
  return fresh_model({.dim = 32,
                      .n_layers = 3,
                      .n_heads = 2,
                      .ffn_dim = 64,
                      .ffn = FeedForward::swiglu,
                      .tied_head = true,
                      .context = context,
                      .dropout = 0.3f},
                     5);
}

// A teacher that knows the sample chats.
Model trained_teacher() {
  Model teacher = teacher_model();
  teacher.config.dropout = 0;
  const Dataset data = sample_chats(teacher);
  const Recipe recipe{.batch_size = kRows, .seq_len = kLength, .steps = 40, .learning_rate = 1e-2f, .warmup = 1};
  Trainer trainer(teacher, recipe, ThreadPool(2));
  for (int64_t step = 0; step < recipe.steps; ++step) trainer.step(data.batch(kRows, 1, step));
  return teacher;
}

std::vector<double> log_softmax_of(const float* logits, int64_t size, double temperature) {
  std::vector<double> result;
  double sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += std::exp(double(logits[i]) / temperature);
  for (int64_t i = 0; i < size; ++i) result.push_back(double(logits[i]) / temperature - std::log(sum));
  return result;
}

// The mean of x over the targets.
double mean_of(const std::vector<double>& x, const std::vector<int32_t>& targets) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += targets[i] == kIgnore ? 0 : x[i];
  return sum / double(count_learned(targets));
}

// The divergence at each place, and -log p of each target, in double.
struct Expected {
  std::vector<double> divergence, surprise;

  Expected(std::span<const float> student, std::span<const float> teacher, const std::vector<int32_t>& targets,
           int64_t size, double temperature) {
    for (size_t i = 0; i < targets.size(); ++i) {
      const float *s = student.data() + i * size_t(size), *t = teacher.data() + i * size_t(size);
      const std::vector<double> log_s = log_softmax_of(s, size, temperature),
                                log_t = log_softmax_of(t, size, temperature);
      double sum = 0;
      for (size_t j = 0; j < log_s.size(); ++j) sum += std::exp(log_t[j]) * (log_t[j] - log_s[j]);
      divergence.push_back(sum);
      surprise.push_back(targets[i] == kIgnore ? 0 : -log_softmax_of(s, size, 1)[size_t(targets[i])]);
    }
  }
};

// The logits of a model for a batch.
std::vector<float> logits_of(const Model& model, const Batch& batch) {
  Graph graph;
  const Shape shape{batch.rows, batch.length};
  const Tensor logits = lm_head(model.config, transformer(graph, model.config,
                                                          {.tokens = graph.input("tokens", i32, shape),
                                                           .positions = graph.input("positions", i32, shape),
                                                           .starts = graph.input("starts", i32, shape)}));
  Program program = compile(graph, {logits}, {.pool = ThreadPool(1), .store = model.weights.get()});
  program.write("tokens", batch.tokens);
  program.write("positions", batch.positions);
  program.write("starts", batch.starts);
  program.run();
  const auto values = program.read<float>(logits);
  return {values.begin(), values.end()};
}

Stage stage_of(Model& model, const Model& teacher, const DistillationOptions& options = {}) {
  const auto chats = std::make_shared<const Dataset>(sample_chats(model));
  const Recipe recipe{
      .batch_size = 2, .seq_len = kLength, .accumulate = 2, .steps = 8, .learning_rate = 2e-3f, .warmup = 2};
  Stage stage{"distill", chats, chats, recipe, distillation(model, teacher, options)};
  stage.validated_by = next_token();
  return stage;
}

// Trains a student in a folder, stopped before step `stop`; 0: it does not stop.
struct Ran {
  bool is_done = false;
  double validation_loss = 0;

  Ran(const std::filesystem::path& folder, const Model& teacher, int stop, int threads,
      const DistillationOptions& options = {}) {
    Model model = sample_model();
    int steps = 0;
    RunOptions run{.folder = folder, .save_seconds = 0};
    run.should_stop = [&] { return ++steps == stop; };
    run.on_validation = [&](const Validation& v) { validation_loss = v.result.loss; };
    is_done = run_stages(model, {stage_of(model, teacher, options)}, ThreadPool(threads), run);
  }
};

}  // namespace

TEST_CASE("the divergence from the teacher is that of a plain loop, and has the right gradient") {
  constexpr int64_t kPlaces = 6, kWords = 9;
  Random random(3);
  const std::vector<int32_t> targets = {1, kIgnore, 8, 0, kIgnore, 5};
  std::vector<float> student, teacher;
  for (int64_t i = 0; i < kPlaces * kWords; ++i) {
    student.push_back(static_cast<float>(6 * random.uniform() - 3));
    teacher.push_back(static_cast<float>(6 * random.uniform() - 3));
  }
  teacher[3] = 200;  // All others have a probability of 0.
  for (const float temperature : {0.5f, 1.0f, 2.0f}) {
    Graph graph;
    const Tensor loss =
        soft_target_loss(graph.input("s", f32, {kPlaces, kWords}), graph.input("t", f32, {kPlaces, kWords}),
                         graph.input("targets", i32, {kPlaces}), temperature);
    Program program = compile(graph, {loss}, {.pool = ThreadPool(2)});
    program.write("s", student);
    program.write("t", teacher);
    program.write("targets", targets);
    program.run();
    const Expected expected(student, teacher, targets, kWords, double(temperature));
    CHECK(double(program.read<float>(loss)[0]) == doctest::Approx(mean_of(expected.divergence, targets)).epsilon(1e-5));
    program.write("targets", std::vector<int32_t>(kPlaces, kIgnore));
    program.run();
    CHECK(program.read<float>(loss)[0] == 0);
    program.write("t", student);
    program.write("targets", targets);
    program.run();
    CHECK(program.read<float>(loss)[0] == 0);
  }
  const auto computed = [](const std::vector<Tensor>& a) { return soft_target_loss(a[0], a[1], a[2], 2); };
  const std::vector<TestArgument> arguments = {
      {.shape = {4, 7}}, {.shape = {4, 7}}, {.shape = {4}, .type = i32, .low = 0, .high = 7}};
  check_gradients(computed, arguments);
  check_threads(computed, arguments);
}

TEST_CASE("the loss of a step is that of a plain loop over the logits of both models, and only the student learns") {
  const Model teacher = teacher_model();
  const std::vector<float> before = [&] {
    const auto values = teacher.weights->at("blocks.0.attn.qkv.weight").as<float>();
    return std::vector<float>(values.begin(), values.end());
  }();
  for (const float z : {0.0f, 0.01f}) {
    Model model = sample_model(0);
    const Batch batch = sample_chats(model).batch(kRows, 1, 0);
    const std::vector<float> student = logits_of(model, batch);
    const int64_t size = model.config.vocab_size;
    const Expected expected(student, logits_of(teacher, batch), batch.targets, size, 2);
    std::vector<double> squares;
    for (size_t i = 0; i < batch.targets.size(); ++i) {
      const double first = double(student[i * size_t(size)]);
      squares.push_back(std::pow(first - log_softmax_of(student.data() + i * size_t(size), size, 1)[0], 2));
    }
    const double hard = mean_of(expected.surprise, batch.targets) + double(z) * mean_of(squares, batch.targets);
    const double soft = mean_of(expected.divergence, batch.targets);
    Trainer trainer(model, {.batch_size = kRows, .seq_len = kLength, .warmup = 1, .z_loss = z}, ThreadPool(2),
                    {.objective = distillation(model, teacher, {.weight = 0.7f, .temperature = 2})});
    const Trainer::Step step = trainer.step(batch);
    CHECK(double(step.loss) == doctest::Approx(0.3 * hard + 0.7 * 4 * soft).epsilon(1e-5));
    CHECK(step.grad_norm > 0);
    CHECK(step.weight == double(count_learned(batch.targets)));
    CHECK(std::ranges::equal(model.weights->at("teacher.blocks.0.attn.qkv.weight").as<float>(), before));
    CHECK(!std::ranges::equal(logits_of(model, batch), student));
  }
}

TEST_CASE("a student of the teacher's form and weights has nothing to learn from it") {
  Model model = sample_model(0);
  const Model teacher = sample_model(0);
  const Batch batch = sample_chats(model).batch(kRows, 1, 0);
  Trainer trainer(model, {.batch_size = kRows, .seq_len = kLength}, ThreadPool(2),
                  {.objective = distillation(model, teacher, {.weight = 1})});
  const Trainer::Step step = trainer.step(batch);
  CHECK(step.loss == 0);
  CHECK(step.grad_norm < 1e-6f);  // The rounding of softmax, alike in both.
}

TEST_CASE("a student comes closer to its teacher on rows that it did not learn from") {
  const Model teacher = trained_teacher();
  Model model = sample_model(0);
  const Dataset data = sample_chats(model);
  const Objective objective = distillation(model, teacher, {.weight = 1});
  Evaluator evaluator(model, kRows, kLength, ThreadPool(2), objective);
  const int64_t held_out = data.rows() - kRows;
  const double before = evaluator.evaluate_batch(data, held_out).loss;
  const Recipe recipe{.batch_size = kRows, .seq_len = kLength, .steps = 40, .learning_rate = 1e-2f, .warmup = 1};
  Trainer trainer(model, recipe, ThreadPool(2), {.objective = objective});
  for (int64_t step = 0; step < recipe.steps; ++step)
    trainer.step(data.in_order(step * kRows % held_out / kRows * kRows, kRows));
  CHECK(evaluator.evaluate_batch(data, held_out).loss < 0.7 * before);
}

TEST_CASE("adapters learn from a teacher too, beside packed weights and with a packed teacher") {
  Model base = packed_model(
      fresh_model({.dim = 32, .n_layers = 2, .n_heads = 2, .ffn_dim = 64, .tied_head = true, .context = 48}),
      {q8_0, q8_0});
  const Model teacher = packed_model(trained_teacher(), {q8_0, q8_0});
  add_lora(base, {.rank = 4}, 7);
  const Dataset data = sample_chats(base);
  const Recipe recipe{.batch_size = kRows,
                      .seq_len = kLength,
                      .steps = 12,
                      .learning_rate = 1e-2f,
                      .warmup = 1,
                      .checkpoint_activations = true};
  Trainer trainer(base, recipe, ThreadPool(2), {.objective = distillation(base, teacher)});
  const float first = trainer.step(data.batch(kRows, 1, 0)).loss;
  float last = first;
  for (int64_t step = 1; step < recipe.steps; ++step) last = trainer.step(data.batch(kRows, 1, 0)).loss;
  CHECK(last < first);
}

TEST_CASE("a run that is stopped goes on to the same bits, on any number of threads, and saves the student alone") {
  const TempFolder folder;
  const Model teacher = trained_teacher();
  const Ran whole(folder / "whole", teacher, 0, 1);
  CHECK(Ran(folder / "threads", teacher, 0, 3).is_done);
  for (const int stop : {3, 4}) CHECK(!Ran(folder / "parts", teacher, stop, 2).is_done);
  CHECK(Ran(folder / "parts", teacher, 0, 2).is_done);
  CHECK(weights_of(folder / "threads") == weights_of(folder / "whole"));
  CHECK(weights_of(folder / "parts") == weights_of(folder / "whole"));
  CHECK(load_model(folder / "whole").weights->find("teacher.tok_emb.weight") == nullptr);
  // Its validation is that of next tokens.
  const Model model = load_model(folder / "whole");
  CHECK(Evaluator(model, 2, kLength, ThreadPool(1)).evaluate(sample_chats(model), 1000).loss == whole.validation_loss);
}

TEST_CASE("a run does not go on with another teacher, weight or temperature") {
  const TempFolder folder;
  const Model teacher = teacher_model();
  const Ran stopped(folder / "run", teacher, 3, 1);
  const auto goes_on = [&](const Model& with, const DistillationOptions& options) {
    return error_of([&] { Ran(folder / "run", with, 0, 1, options); });
  };
  CHECK(goes_on(trained_teacher(), {}).find("belongs to another run: distill objective is distillation") !=
        std::string::npos);
  CHECK(goes_on(teacher, {.weight = 0.5f}).find("belongs to another run") != std::string::npos);
  CHECK(goes_on(teacher, {.temperature = 1}).find("belongs to another run") != std::string::npos);
  CHECK(goes_on(teacher, {}) == "no error");
}

TEST_CASE("the memory of the teacher is part of the plan") {
  Model model = sample_model(0);
  const Recipe recipe{.batch_size = kRows, .seq_len = kLength};
  const Memory alone = training_memory(model.config, recipe, 1);
  const Model teacher = teacher_model();
  const TrainerOptions options{.objective = distillation(model, teacher)};
  const Memory planned = training_memory(model.config, recipe, 1, options);
  CHECK(planned.parameters >= alone.parameters + 4 * size_t(parameter_count(teacher.config)));
  CHECK(planned.states == alone.states);
  CHECK(Trainer(model, recipe, ThreadPool(1), options).memory().total() == planned.total());
}

TEST_CASE("wrong teachers and options are refused by name") {
  Model model = sample_model(0);
  const auto refused = [&](const Model& teacher, const DistillationOptions& options = {}) {
    return error_of([&] { distillation(model, teacher, options); });
  };
  const Model teacher = teacher_model();
  CHECK(refused(teacher, {.weight = 0}) == "distillation: weight 0, expected a number above 0 and at most 1");
  CHECK(refused(teacher, {.weight = NAN}) == "distillation: weight nan, expected a number above 0 and at most 1");
  CHECK(refused(teacher, {.temperature = 0}) == "distillation: temperature 0, expected a finite number above 0");
  CHECK(refused(teacher, {.temperature = INFINITY}) ==
        "distillation: temperature inf, expected a finite number above 0");

  Model wider = teacher_model();
  wider.config.vocab_size += 8;
  CHECK(refused(wider) == fmt::format("distillation: the teacher has rows for {} tokens, expected {} as in the student",
                                      wider.config.vocab_size, model.config.vocab_size));
  Model stranger = teacher_model();
  stranger.tokenizer = std::make_shared<const SentencePieceTokenizer>(sample_tokenizer(300));
  CHECK(refused(stranger).find("distillation: the teacher has another tokenizer than the student") == 0);

  const Objective objective = distillation(model, teacher_model(kLength - 1));
  CHECK(error_of([&] {
          Trainer(model, {.batch_size = kRows, .seq_len = kLength}, ThreadPool(1), {.objective = objective});
        }) == "distillation: rows of 40 tokens, expected at most 39, the teacher's context");
  CHECK(refused(teacher) == "distillation: the student has a teacher already");
}

}  // namespace tinyllm::test
