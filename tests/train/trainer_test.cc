#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include "close.h"
#include "temp_folder.h"
#include "train/sample_run.h"

#include <cmath>

namespace tinyllm::test {
namespace {

// The default model, never run: what its training would take.
Memory memory_of(const Recipe& recipe) {
  ThreadPool pool(1);
  Model model{ModelConfig{}, std::make_shared<SentencePieceTokenizer>(sample_tokenizer())};
  return Trainer(model, recipe, pool).memory();
}

// After one step, the first moments: a tenth of the clipped gradients.
struct FirstStep {
  Trainer::Step step;
  std::map<std::string, std::vector<float>> moments;

  FirstStep(const Recipe& recipe, const std::filesystem::path& path) {
    Model model = sample_model(0);
    ThreadPool pool(2);
    Trainer trainer(model, recipe, pool);
    step = trainer.step(sample_chats(model).batch(recipe.batch_rows(), 1, 0));
    trainer.save(path, {});
    const Safetensors saved(path);
    for (const WeightSpec& spec : weight_specs(model.config)) {
      moments[spec.name] = saved.values<float>("adamw.m." + spec.name);
    }
  }
};

}  // namespace

TEST_CASE("8 rows at once and 4 times 2 rows have the same loss and the same gradient") {
  const TempFolder folder;
  const FirstStep whole({.batch_size = 8, .seq_len = 40}, folder / "whole");
  const FirstStep parts({.batch_size = 2, .seq_len = 40, .accumulate = 4}, folder / "parts");
  // Sums over 320 tokens in another order: each partial sum is rounded by 2^-24 of itself at most.
  const double tolerance = 320 * std::pow(2.0, -24);
  CHECK(whole.step.loss > 0);
  CHECK(whole.step.grad_norm > 0);
  CHECK(double(parts.step.loss) == doctest::Approx(double(whole.step.loss)).epsilon(tolerance));
  CHECK(double(parts.step.grad_norm) == doctest::Approx(double(whole.step.grad_norm)).epsilon(tolerance));
  for (const auto& [name, expected] : whole.moments) check_close(name, parts.moments.at(name), expected, tolerance);
}

TEST_CASE("embeddings and head have learning rates of their own, and nothing else changes") {
  const auto steps = [](float embedding_lr, float head_lr) {
    Model model = sample_model(0);
    const auto values = [&](const WeightSpec& spec) {
      const std::span<const float> now = model.weights->at(spec.name).as<float>();
      return std::vector<float>(now.begin(), now.end());
    };
    std::map<std::string, std::vector<float>> before, moved;
    const std::vector<WeightSpec> specs = weight_specs(model.config);
    for (const WeightSpec& spec : specs) before[spec.name] = values(spec);
    ThreadPool pool(2);
    const Recipe recipe{.batch_size = 4,
                        .seq_len = 40,
                        .learning_rate = 1e-2f,
                        .embedding_lr = embedding_lr,
                        .head_lr = head_lr,
                        .warmup = 0,
                        .weight_decay = 0};
    Trainer(model, recipe, pool).step(sample_chats(model).batch(4, 1, 0));
    for (const WeightSpec& spec : specs) {
      moved[spec.name] = values(spec);
      for (size_t i = 0; i < before[spec.name].size(); ++i) moved[spec.name][i] -= before[spec.name][i];
    }
    return moved;
  };
  const auto plain = steps(1, 1), own = steps(4, 0.5f);
  for (const auto& [name, expected] : plain) {
    const float factor = name == "tok_emb.weight" ? 4.0f : name == "lm_head.weight" ? 0.5f : 1.0f;
    std::vector<float> scaled = expected;
    for (float& x : scaled) x *= factor;
    if (factor == 1) {
      CHECK(own.at(name) == scaled);
    } else {
      // Weights below 1 are rounded by 2^-25 at most, and what a step adds is the difference of two of them.
      for (size_t i = 0; i < scaled.size(); ++i) CHECK(std::abs(own.at(name)[i] - scaled[i]) <= 5 * 0x1p-24f);
    }
  }
}

TEST_CASE("recomputation gives the same bits") {
  const auto train = [](bool recompute, const std::filesystem::path& path) {
    Model model = sample_model();
    ThreadPool pool(2);
    Trainer trainer(model, {.batch_size = 3, .seq_len = 40, .checkpoint_activations = recompute}, pool);
    const Dataset data = sample_chats(model);
    std::vector<float> results;
    for (int64_t step = 0; step < 4; ++step) {
      const Trainer::Step result = trainer.step(data.batch(3, 1, step));
      results.insert(results.end(), {result.loss, result.grad_norm});
    }
    trainer.save(path, {});
    return results;
  };
  const TempFolder folder;
  CHECK(train(false, folder / "kept") == train(true, folder / "recomputed"));
  CHECK(read_file(folder / "kept") == read_file(folder / "recomputed"));
}

TEST_CASE("recomputation halves the activations, and accumulation needs the memory of one part") {
  const Memory plain = memory_of({.batch_size = 8, .seq_len = 256});
  const Memory recomputed = memory_of({.batch_size = 8, .seq_len = 256, .checkpoint_activations = true});
  CHECK(recomputed.activations * 2 <= plain.activations);
  CHECK(recomputed.states == plain.states);

  const Memory two = memory_of({.batch_size = 8, .seq_len = 256, .accumulate = 2});
  const Memory eight = memory_of({.batch_size = 8, .seq_len = 256, .accumulate = 8});
  CHECK(eight.total() == two.total());
  // Gradients that wait for those of other parts have memory of their own; little else is new.
  CHECK(two.total() <= plain.total() + plain.parameters + 65536);
}

TEST_CASE("Muon steps hidden matrices, and AdamW the rest") {
  const TempFolder folder;
  Model model = sample_model(0);
  ThreadPool pool(2);
  const Dataset data = sample_chats(model);
  Trainer trainer(
      model,
      {.batch_size = 3, .seq_len = 40, .steps = 30, .optimizer = Optimizer::muon, .learning_rate = 5e-3f, .warmup = 3},
      pool);
  const float first = trainer.step(data.batch(3, 1, 0)).loss;
  for (int64_t step = 1; step < 30; ++step) trainer.step(data.batch(3, 1, step));
  CHECK(trainer.step(data.batch(3, 1, 0)).loss < first - 1);
  trainer.save(folder / "saved", {});
  const Safetensors saved(folder / "saved");
  CHECK_NOTHROW(saved.at("muon.momentum.blocks.0.attn.qkv.weight"));
  CHECK_NOTHROW(saved.at("adamw.m.tok_emb.weight"));
  CHECK_THROWS_AS(saved.at("adamw.m.blocks.0.ffn.w1.weight"), Error);
}

TEST_CASE("the average of the weights over the steps is what it says") {
  Model model = sample_model(0);
  ThreadPool pool(1);
  const Dataset data = sample_chats(model);
  Trainer trainer(model, {.batch_size = 3, .seq_len = 40, .learning_rate = 1e-2f, .warmup = 1, .ema_decay = 0.75f},
                  pool);
  const std::string name = "blocks.1.ffn.w1.weight";
  const std::span<const float> now = model.weights->at(name).as<float>();
  std::vector<double> average(now.size());
  double weight = 0;
  for (int64_t step = 0; step < 5; ++step) {
    trainer.step(data.batch(3, 1, step));
    for (size_t i = 0; i < now.size(); ++i) average[i] = 0.75 * average[i] + 0.25 * double(now[i]);
    weight = 0.75 * weight + 0.25;
  }
  trainer.copy_ema(*model.weights);
  double largest = 0;
  for (size_t i = 0; i < now.size(); ++i) largest = std::max(largest, std::abs(double(now[i]) - average[i] / weight));
  CHECK(largest < 10 * std::pow(2.0, -24));  // Five sums and two products of numbers below 1.
}

TEST_CASE("short first rows train as rows of that length do, and then the step is that of long rows") {
  const TempFolder folder;
  const Recipe recipe{
      .batch_size = 2, .seq_len = 40, .first_seq_len = 20, .lengthen_at = 0.5f, .steps = 2, .warmup = 1};
  Model model = sample_model(0), short_model = sample_model(0), long_model = sample_model(0);
  ThreadPool pool(1);
  const Dataset data = sample_chats(model);
  Trainer trainer(model, recipe, pool);
  const Trainer::Step first = trainer.step(data.batch(2, 1, 0));
  Trainer on_short(short_model, {.batch_size = 4, .seq_len = 20, .steps = 2, .warmup = 1}, pool);
  CHECK(first.loss == on_short.step(cut(data.batch(2, 1, 0), 20)).loss);
  on_short.save(folder / "short", {});
  trainer.save(folder / "first", {});
  CHECK(read_file(folder / "short") == read_file(folder / "first"));

  Trainer on_long(long_model, {.batch_size = 2, .seq_len = 40, .steps = 2, .warmup = 1}, pool);
  on_long.restore(Safetensors(folder / "first"));
  CHECK(trainer.step(data.batch(2, 1, 1)).loss == on_long.step(data.batch(2, 1, 1)).loss);
  trainer.save(folder / "second", {});
  on_long.save(folder / "long", {});
  CHECK(read_file(folder / "long") == read_file(folder / "second"));
}

TEST_CASE("a loss with inputs of its own is what is trained") {
  Model model = sample_model(0);
  ThreadPool pool(1);
  Batch batch = sample_chats(model).batch(2, 1, 0);
  batch.more["weight"] = std::vector<float>(80, 0.25f);
  const auto weighted = [](const LossInputs& in) {
    const Tensor weight = in.graph.input("weight", f32, in.targets.shape());
    return mul(next_token_loss(in), mean(weight));
  };
  Model plain_model = sample_model(0);
  Trainer plain(plain_model, {.batch_size = 2, .seq_len = 40}, pool);
  Trainer own(model, {.batch_size = 2, .seq_len = 40}, pool, {.objective = {weighted, next_token().weight}});
  CHECK(own.step(batch).loss == 0.25f * plain.step(sample_chats(model).batch(2, 1, 0)).loss);
}

TEST_CASE("a z-loss is added in training, and its gradient too") {
  Model model = sample_model(0), plain_model = sample_model(0);
  ThreadPool pool(1);
  const Batch batch = sample_chats(model).batch(2, 1, 0);
  Trainer trainer(model, {.batch_size = 2, .seq_len = 40, .z_loss = 0.01f}, pool);
  Trainer plain(plain_model, {.batch_size = 2, .seq_len = 40}, pool);
  const Trainer::Step with = trainer.step(batch), without = plain.step(batch);
  // The logits of a fresh model are near 0, and log(sum(exp)) near log V.
  const double lse = std::log(double(model.config.vocab_size));
  CHECK(double(with.loss - without.loss) == doctest::Approx(0.01 * lse * lse).epsilon(0.02));
  CHECK(with.grad_norm != without.grad_norm);
}

TEST_CASE("a batch with nothing to learn leaves the model as it was") {
  const TempFolder folder;
  Model model = sample_model(0);
  ThreadPool pool(1);
  Trainer trainer(model, {.batch_size = 2, .seq_len = 40, .warmup = 1}, pool);
  Batch batch = sample_chats(model).batch(2, 1, 0);
  trainer.step(batch);
  save_weights(model, weight_specs(model.config), folder / "before");
  std::fill(batch.targets.begin(), batch.targets.end(), kIgnore);
  const Trainer::Step step = trainer.step(batch);
  CHECK(step.weight == 0);
  CHECK_FALSE(step.was_taken());
  CHECK(trainer.steps_done() == 2);
  save_weights(model, weight_specs(model.config), folder / "after");
  CHECK(read_file(folder / "before") == read_file(folder / "after"));
}

TEST_CASE("the memory of training is known without reserving it") {
  ThreadPool pool(1);
  for (const Recipe& recipe :
       {Recipe{.batch_size = 3, .seq_len = 40}, Recipe{.batch_size = 2, .seq_len = 40, .accumulate = 4},
        Recipe{.batch_size = 3, .seq_len = 40, .optimizer = Optimizer::muon, .ema_decay = 0.9f},
        Recipe{.batch_size = 3, .seq_len = 40, .checkpoint_activations = true}}) {
    Model model = sample_model();
    const Memory planned = training_memory(model.config, recipe, pool.threads());
    const Memory found = Trainer(model, recipe, pool).memory();
    CHECK(planned.parameters == found.parameters);
    CHECK(planned.states == found.states);
    CHECK(planned.inputs == found.inputs);
    CHECK(planned.activations == found.activations);
    CHECK(planned.unplanned == found.unplanned);
  }
  // A model of a terabyte.
  const ModelConfig huge{
      .vocab_size = 1 << 20, .dim = 1 << 15, .n_layers = 64, .n_heads = 256, .ffn_dim = 1 << 17, .context = 64};
  CHECK(training_memory(huge, {.batch_size = 1, .seq_len = 64}, 1).parameters > size_t{1} << 40);
}

TEST_CASE("a batch of the wrong size is refused") {
  Model model = sample_model();
  ThreadPool pool(1);
  Trainer trainer(model, {.batch_size = 2, .seq_len = 40, .accumulate = 3}, pool);
  CHECK_THROWS_WITH_AS(trainer.step(sample_chats(model).batch(2, 1, 0)),
                       "training: a batch of 2 rows of 40, expected 6 of 40", Error);
  CHECK_THROWS_AS(Trainer(model, {.accumulate = 0}, pool), Error);
}

}  // namespace tinyllm::test
