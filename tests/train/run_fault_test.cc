#include <doctest/doctest.h>

#include <tinyllm/train/guard.h>

#include "train/short_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tinyllm::test {

TEST_CASE("a model that cannot answer is not saved, no text is drawn from it, and the error says why") {
  const TempFolder folder;
  Model model = sample_model(0);
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  stages[0].recipe.steps = 1;
  model.weights->at("lm_head.weight").as<float>()[0] = std::numeric_limits<float>::infinity();
  std::vector<Validation> validations;
  RunOptions options{.folder = folder.path(), .prompts = {{"计算", model.tokenizer->encode("计算")}}};
  options.on_validation = [&](const Validation& v) { validations.push_back(v); };
  CHECK_THROWS_WITH_AS(run_stages(model, stages, pool, options),
                       fmt::format("{}: not saved: the model cannot answer: its loss is not finite; nothing was saved "
                                   "before; a learning rate below 0.002 may help",
                                   folder.path().string())
                           .c_str(),
                       Error);
  REQUIRE(validations.size() == 1);
  CHECK_FALSE(std::isfinite(validations[0].result.loss));
  CHECK_FALSE(validations[0].is_best);
  CHECK(validations[0].samples.empty());
  CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
}

TEST_CASE("a run that diverges too late for the guard ends with an error, at any rate that is far too high") {
  for (const float rate : {1e2f, 1e10f, 1e20f, 1e30f, 3e38f}) {
    for (const Optimizer optimizer : {Optimizer::adamw, Optimizer::muon}) {
      for (const float ema : {0.0f, 0.9f}) {
        CAPTURE(rate);
        CAPTURE(name_of(optimizer));
        CAPTURE(ema);
        const TempFolder folder;
        const std::string said = failure(folder.path(), [&](Recipe& recipe) {
          recipe.steps = 4;
          recipe.warmup = 0;
          recipe.learning_rate = rate;
          recipe.optimizer = optimizer;
          recipe.ema_decay = ema;
        });
        CHECK(said.find("not saved: the model cannot answer: ") != std::string::npos);
        CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
        CHECK_FALSE(std::filesystem::exists(folder / kBestFolder));
      }
    }
  }
}

TEST_CASE("of a run that diverges, the best model and the last good checkpoint stay, and the error names them") {
  const TempFolder folder;
  const auto diverge = [](Recipe& recipe) {
    recipe.steps = 12;
    recipe.learning_rate = 1e30f;
    recipe.warmup = 0;
  };
  // A good model at step 4, then a rate that is far too high.
  std::vector<std::string> events;
  Model model = sample_model(0);
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  stages[0].recipe.steps = 12;
  RunOptions options{.folder = folder.path(), .save_seconds = 0, .validate_every = 4};
  options.on_event = [&](const std::string& event) { events.push_back(event); };
  int64_t step = 0;
  options.on_step = [&](const StepReport& progress) { step = progress.step; };
  options.should_stop = [&] {
    if (step == 6) model.weights->at("lm_head.weight").as<float>()[3] = std::numeric_limits<float>::infinity();
    return step == 8;
  };
  const std::string said = error_of([&] { run_stages(model, stages, pool, options); });
  CHECK(said.find("stopped, and not saved: the model cannot answer: lm_head.weight holds ") != std::string::npos);
  CHECK(said.find(fmt::format("; the best model before is {};", (folder / kBestFolder).string())) != std::string::npos);
  CHECK_FALSE(broken_weight(load_model(folder / kBestFolder)));
  CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
  CHECK(std::filesystem::exists(folder / "checkpoint-00000006.safetensors"));
  CHECK_FALSE(std::filesystem::exists(folder / "checkpoint-00000007.safetensors"));
  CHECK(std::ranges::count_if(events, [](const std::string& event) {
          return event.starts_with("no checkpoint of step 7: the model cannot answer: lm_head.weight holds ");
        }) == 1);

  // Nothing good before: a model that was there in the folder stays.
  const TempFolder other;
  write_file(other / kWeightsFile, "a model");
  CHECK(failure(other.path(), diverge) != "no error");
  CHECK(read_file(other / kWeightsFile) == "a model");
}

TEST_CASE("a model that breaks when it is finished is not saved") {
  const TempFolder folder;
  RunOptions options;
  options.finish = [](Model& model) { model.weights->at("lm_head.weight").as<float>()[0] = 1e30f; };
  CHECK(failure(
            folder.path(), [](Recipe&) {}, options)
            .find("cannot answer: lm_head.weight holds 1e+30") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
}

TEST_CASE("a learning rate that diverges is an error that says so, and no checkpoint of it is left") {
  const TempFolder folder;
  const std::string message =
      error_of([&] { Stopped(folder.path(), 0, [](Recipe& recipe) { recipe.learning_rate = 1e30f; }); });
  CHECK(message.find("10 steps in a row were not finite; a learning rate below") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
  CHECK_FALSE(has_checkpoint(folder.path()));
}

TEST_CASE("a batch that gives no finite loss is named") {
  const TempFolder folder;
  Model model = sample_model(0);
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  model.weights->at("lm_head.weight").as<float>()[0] = std::numeric_limits<float>::infinity();
  std::vector<std::string> events;
  RunOptions options{.folder = folder.path()};
  options.on_event = [&](const std::string& event) { events.push_back(event); };
  CHECK_THROWS_AS(run_stages(model, stages, pool, options), Error);
  REQUIRE(events.size() == 9);
  std::string batch;
  for (const std::string& name : stages[0].train->names(3, 1, 0)) batch += (batch.empty() ? "" : ", ") + name;
  CHECK(batch.starts_with("sample "));
  CHECK(events[0].find("at step 1: skipped, the weights are unchanged; its batch: " + batch) != std::string::npos);
}

TEST_CASE("the losses of a stage are not compared with those of the stage before") {
  const TempFolder folder;
  Model model = sample_model();
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  stages[0].recipe.steps = 100;
  stages[1] = stages[0];
  stages[1].name = "noise";
  stages[1].train = noise_for(model);
  stages[1].recipe.learning_rate = 1e-6f;
  std::vector<std::string> events;
  RunOptions options{.folder = folder.path()};
  options.on_event = [&](const std::string& event) { events.push_back(event); };
  REQUIRE(run_stages(model, stages, pool, options));
  CHECK(events.empty());
}

TEST_CASE("a folder that another run holds is refused, and nothing in it changes") {
  const TempFolder folder;
  const FolderLock lock(folder.path());
  CHECK(failure(folder.path(), [](Recipe&) {}).find("is in use by process ") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / kMetricsFile));
  RunOptions options;
  options.lock = &lock;
  CHECK(failure(
            folder.path(), [](Recipe&) {}, options) == "no error");
  CHECK(std::filesystem::exists(folder / kWeightsFile));
}

TEST_CASE("batches that make no sense are refused") {
  Model model = sample_model();
  ThreadPool pool(1);
  CHECK_THROWS_AS(Trainer(model, {.batch_size = 0}, pool), Error);
  CHECK_THROWS_AS(Trainer(model, {.batch_size = 1, .seq_len = 49}, pool), Error);
}

}  // namespace tinyllm::test
