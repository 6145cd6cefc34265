#include <doctest/doctest.h>

#include <tinyllm/ops/ops.h>

#include "train/short_run.h"

#include <array>
#include <cmath>

namespace tinyllm::test {

TEST_CASE("a run validates at its steps, and keeps the model of the lowest validation loss apart") {
  const TempFolder folder;
  Model model = sample_model(0);
  ThreadPool pool(1);
  const std::vector<int32_t> prompt = model.tokenizer->encode("计算");
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  stages[0].recipe.steps = 40;
  stages[0].recipe.learning_rate = 0.02f;
  stages[0].validation = noise_for(model);  // What the model unlearns.
  std::vector<Validation> validations;
  std::vector<std::string> events;
  RunOptions options{.folder = folder.path(), .validate_every = 15, .prompts = {{"计算", prompt}}};
  options.options = "rate=0.02\n";
  options.on_validation = [&](const Validation& v) { validations.push_back(v); };
  options.on_event = [&](const std::string& event) { events.push_back(event); };
  REQUIRE(run_stages(model, stages, pool, options));

  REQUIRE(validations.size() == 3);
  size_t lowest = 0;
  for (size_t i = 0; i < 3; ++i) {
    CHECK(validations[i].step == std::array{15, 30, 40}[i]);
    CHECK(validations[i].is_last == (i == 2));
    if (validations[i].result.loss < validations[lowest].result.loss) lowest = i;
    CHECK(validations[i].is_best == (lowest == i));
    REQUIRE(validations[i].samples.size() == 1);
    CHECK(validations[i].samples[0].prompt == "计算");
  }
  REQUIRE(lowest < 2);
  const Model best = load_model(folder / kBestFolder);
  CHECK(Evaluator(best, 3, 40, pool).evaluate(*stages[0].validation, 1000).loss == validations[lowest].result.loss);
  REQUIRE(events.size() >= 1);
  CHECK(events.back() == fmt::format("the validation loss was lower before: {:.4f}; that model is in {}",
                                     validations[lowest].result.loss, (folder / kBestFolder).string()));
  CHECK(read_file(folder / kOptionsFile) == "rate=0.02\n");
  const std::string log = read_file(folder / kMetricsFile);
  CHECK(log.find("{\"step\":15,\"stage\":\"pretrain\",\"validation_loss\":") != std::string::npos);
  CHECK(log.find("{\"step\":15,\"prompt\":\"计算\",\"sample\":\"") != std::string::npos);
}

TEST_CASE("a model that ends best is kept once, and what an older run kept is removed") {
  const TempFolder folder;
  for (int i = 0; i < 2; ++i) {
    Model model = sample_model();
    save_model(model, folder / kBestFolder);
    ThreadPool pool(1);
    std::vector<Stage> stages = stages_for(model);
    bool ends_best = false;
    RunOptions options{.folder = folder.path(), .validate_every = i * 4};
    options.on_validation = [&](const Validation& v) { ends_best = v.is_best; };
    REQUIRE(run_stages(model, stages, pool, options));
    REQUIRE(ends_best);
    CHECK_FALSE(std::filesystem::exists(folder / kBestFolder));
  }
}

TEST_CASE("of the folder of the best model, what a run did not write stays") {
  const TempFolder folder;
  save_model(sample_model(), folder / kBestFolder);
  write_file(folder / kBestFolder / "notes.txt", "mine");
  REQUIRE(Stopped(folder.path(), 0).is_done);
  CHECK(read_file(folder / kBestFolder / "notes.txt") == "mine");
  CHECK_FALSE(std::filesystem::exists(folder / kBestFolder / kWeightsFile));
}

TEST_CASE("a prompt that a model cannot go on from is refused before the first step") {
  const TempFolder folder;
  Model model = sample_model();
  ThreadPool pool(1);
  const std::vector<Stage> stages = stages_for(model);
  for (const size_t size : {size_t{0}, size_t{48}}) {
    const RunOptions options{.folder = folder / "run", .prompts = {{"计算", std::vector<int32_t>(size, 10)}}};
    CHECK_THROWS_WITH_AS(run_stages(model, stages, pool, options),
                         fmt::format("prompt \"计算\": {} tokens, expected 1 to 47", size).c_str(), Error);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "run"));
}

TEST_CASE("training lowers the validation loss") {
  const TempFolder folder;
  Model model = sample_model();
  ThreadPool pool(2);
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  stages[0].recipe.steps = 60;
  Evaluator evaluator(model, 3, 40, pool);
  const double before = evaluator.evaluate(*stages[0].validation, 30).loss;
  double after = 0;
  RunOptions options{.folder = folder.path()};
  options.on_validation = [&](const Validation& v) { after = v.result.loss; };
  REQUIRE(run_stages(model, stages, pool, options));
  CHECK(before == doctest::Approx(std::log(double(model.config.vocab_size))).epsilon(0.02));
  CHECK(after < before - 1);
}

TEST_CASE("a stage trains for its objective, is validated by it, and goes on with no other") {
  const TempFolder folder;
  const auto run = [&](const char* name, const Objective& objective, bool stops) {
    Model model = sample_model(0);
    std::vector<Stage> stages = {stages_for(model)[1]};
    stages[0].objective = objective;
    std::vector<double> losses;
    RunOptions options{.folder = folder / name};
    options.on_step = [&](const StepReport& report) {
      if (report.step == 1) losses.push_back(static_cast<double>(report.loss));
    };
    options.on_validation = [&](const Validation& v) { losses.push_back(v.result.loss); };
    options.should_stop = [&] { return stops && !losses.empty(); };
    run_stages(model, stages, ThreadPool(2), options);
    return losses;
  };
  const auto thrice = [](const LossInputs& in) { return scale(next_token_loss(in), 3); };
  const Objective three_times = {thrice, next_token().weight, "three times"};
  const std::vector<double> plain = run("plain", next_token(), false), found = run("thrice", three_times, false);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == doctest::Approx(3 * plain[0]).epsilon(1e-6));
  CHECK(found[1] > 2 * plain[1]);
  run("stopped", three_times, true);
  CHECK(error_of([&] {
          run("stopped", next_token(), false);
        }).find("fine-tune objective is not set, was three times") != std::string::npos);
}

}  // namespace tinyllm::test
