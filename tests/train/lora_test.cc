#include <doctest/doctest.h>

#include <tinyllm/model/lora.h>
#include <tinyllm/tensor/base/file.h>

#include "model/packed_model.h"
#include "temp_folder.h"
#include "train/sample_run.h"

#include <cmath>

namespace tinyllm::test {
namespace {

constexpr int64_t kRows = 3;
constexpr int64_t kLength = 40;

double loss_of(const Model& model) {
  ThreadPool pool(1);
  return Evaluator(model, kRows, kLength, pool).evaluate(sample_chats(model), 12).loss;
}

std::vector<float> base_weights(const Model& model) {
  std::vector<float> all;
  for (const WeightSpec& spec : weight_specs(model.config)) {
    const auto values = model.weights->at(spec.name).as<float>();
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

// A model with adapters that have learned something.
Model trained(const Lora& lora) {
  Model model = sample_model(0);
  add_lora(model, lora, 7);
  ThreadPool pool(1);
  const Dataset data = sample_chats(model);
  Trainer trainer(model, {.batch_size = kRows, .seq_len = kLength, .steps = 20, .learning_rate = 1e-2f, .warmup = 1},
                  pool);
  for (int64_t step = 0; step < 20; ++step) trainer.step(data.batch(kRows, 1, step));
  return model;
}

}  // namespace

TEST_CASE("fresh adapters change nothing; trained ones lower the loss, and the model's own weights stay") {
  const Model plain = sample_model(0);
  Model fresh = sample_model(0);
  add_lora(fresh, {.rank = 4}, 7);
  CHECK(loss_of(fresh) == loss_of(plain));
  const Model model = trained({.rank = 4});
  CHECK(loss_of(model) < loss_of(plain) - 0.2);
  CHECK(base_weights(model) == base_weights(plain));
}

TEST_CASE("merged adapters do what they did beside the matrices") {
  Model model = trained({.rank = 3, .targets = {"attn.qkv", "ffn.w2"}});
  const double apart = loss_of(model);
  merge_lora(model);
  CHECK(model.config.lora.rank == 0);
  // Sums of at most 43 products, in another order.
  CHECK(loss_of(model) == doctest::Approx(apart).epsilon(43 * std::pow(2.0, -24)));
  CHECK(base_weights(model) != base_weights(sample_model(0)));
}

TEST_CASE("adapters are saved beside their model, or alone for another copy of it") {
  const TempFolder folder;
  const Model model = trained({.rank = 4, .alpha = 8});
  save_model(model, folder / "whole");
  CHECK(loss_of(load_model(folder / "whole")) == loss_of(model));

  save_lora(model, folder / "apart");
  Model other = sample_model(0);
  load_lora(other, folder / "apart");
  CHECK(loss_of(other) == loss_of(model));
  CHECK_THROWS_WITH_AS(load_lora(other, folder / "apart"),
                       doctest::Contains("lora: the model has adapters of rank 4 already"), Error);

  Model wider = fresh_model({.dim = 32, .n_layers = 2, .n_heads = 2, .ffn_dim = 40, .context = 48});
  CHECK_THROWS_AS(load_lora(wider, folder / "apart"), Error);
  CHECK(wider.config.lora.rank == 0);
  write_file(folder / "apart" / kAdapterConfigFile, "{\"r\": 4}");
  CHECK_THROWS_AS(load_lora(wider, folder / "apart"), Error);
}

TEST_CASE("adapters beside packed weights learn the bits that they would beside the floats that these stand for") {
  Model plain = fresh_model({.dim = 32, .n_layers = 2, .n_heads = 2, .ffn_dim = 64, .tied_head = true, .context = 48});
  const Recipe recipe = {
      .batch_size = kRows, .seq_len = kLength, .steps = 5, .learning_rate = 1e-2f, .warmup = 1, .z_loss = 1e-3f};
  for (const WeightTypes types : {WeightTypes{q8_0, q8_0}, {q4_0, q8_0}, {packed_bf16, packed_bf16}}) {
    for (const bool recomputes : {false, true}) {
      Model packed = packed_model(plain, types);
      Model floats = unpacked_model(packed);
      std::vector<std::vector<float>> results;
      for (Model* model : {&packed, &floats}) {
        add_lora(*model, {.rank = 4}, 7);
        Recipe r = recipe;
        r.checkpoint_activations = recomputes;
        const Dataset data = sample_chats(*model);
        Trainer trainer(*model, r, ThreadPool(2));
        std::vector<float>& all = results.emplace_back();
        for (int64_t step = 0; step < r.steps; ++step) all.push_back(trainer.step(data.batch(kRows, 1, step)).loss);
        for (const WeightSpec& spec : adapter_specs(model->config)) {
          const auto values = model->weights->at(spec.name).as<float>();
          all.insert(all.end(), values.begin(), values.end());
        }
        CHECK(all[4] < all[0]);
      }
      CHECK(results[0] == results[1]);
      // What training keeps beside the weights is of adapters alone.
      int64_t trained = 0;
      for (const WeightSpec& spec : adapter_specs(packed.config)) trained += spec.shape.size();
      const Memory memory = training_memory(packed.config, recipe, 2);
      CHECK(memory.states < static_cast<size_t>(3 * trained) * sizeof(float));
      CHECK(memory.parameters < training_memory(floats.config, recipe, 2).parameters);
    }
  }
}

TEST_CASE("packed weights themselves are not trained") {
  ThreadPool pool(1);
  Model model =
      packed_model(fresh_model({.dim = 32, .n_layers = 1, .n_heads = 2, .ffn_dim = 64, .context = 48}), {q8_0, q8_0});
  CHECK_THROWS_WITH_AS(Trainer(model, {.seq_len = kLength}, pool),
                       doctest::Contains("training: the weights are q8_0, and packed weights stay as they are"), Error);
}

TEST_CASE("a run of adapters beside packed weights saves adapters that name their base, and goes on after a stop") {
  const TempFolder folder;
  Model base =
      packed_model(fresh_model({.dim = 32, .n_layers = 1, .n_heads = 2, .ffn_dim = 64, .context = 48}), {q8_0, q8_0});
  const auto data = std::make_shared<const Dataset>(sample_chats(base));
  const std::vector<Stage> stages = {
      {"fine-tune", data, data, {.batch_size = kRows, .seq_len = kLength, .steps = 6, .warmup = 1}}};
  const auto run = [&](const std::filesystem::path& to, int64_t stop) {
    Model model = packed_model(unpacked_model(base), {q8_0, q8_0});
    model.base = folder / "base";
    add_lora(model, {.rank = 2}, 3);
    RunOptions options{.folder = to};
    int64_t steps = 0;
    options.should_stop = [&] { return steps++ == stop; };
    run_stages(model, stages, ThreadPool(1), options);
  };
  run(folder / "whole", -1);
  run(folder / "stopped", 3);
  run(folder / "stopped", -1);
  CHECK_FALSE(std::filesystem::exists(folder / "whole" / kWeightsFile));
  CHECK(read_file(folder / "whole" / kAdapterWeightsFile) == read_file(folder / "stopped" / kAdapterWeightsFile));
  CHECK(read_file(folder / "whole" / kAdapterConfigFile).find((folder / "base").string()) != std::string::npos);
}

TEST_CASE("adapters that cannot be are refused by name") {
  Model model = sample_model(0);
  CHECK_THROWS_WITH_AS(
      add_lora(model, {.rank = 4, .targets = {"attn.q"}}, 1),
      doctest::Contains("lora: target attn.q, expected some of attn.qkv, attn.o, ffn.w1, ffn.w2, q_proj"), Error);
  CHECK_THROWS_WITH_AS(add_lora(model, {.rank = 4, .targets = {}}, 1),
                       doctest::Contains("lora: no targets, expected some of attn.qkv, attn.o, ffn.w1, ffn.w2, q_proj"),
                       Error);
  CHECK_THROWS_AS(add_lora(model, {.rank = -1}, 1), Error);
  CHECK_THROWS_AS(add_lora(model, {.rank = 0}, 1), Error);
}

}  // namespace tinyllm::test
