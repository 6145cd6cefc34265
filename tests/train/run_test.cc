#include <doctest/doctest.h>

#include <tinyllm/model/file.h>

#include "../temp_folder.h"
#include "sample_run.h"

#include <cmath>
#include <cstring>

namespace tinyllm::test {
namespace {

std::vector<Stage> stages_for(const Model& model) {
  std::vector<std::vector<int32_t>> texts;
  for (const std::string& text : sample_texts()) texts.push_back(model.tokenizer.encode(text));
  const Recipe recipe{.rows = 3, .length = 40, .steps = 12, .rate = 2e-3f, .warmup = 3};
  Recipe in_parts = recipe;
  in_parts.rows = 2;
  in_parts.accumulate = 2;
  in_parts.recompute = true;
  std::vector<Stage> stages;
  const auto running_text = std::make_shared<Dataset>(Dataset::of_texts(texts, 40));
  const auto chats = std::make_shared<Dataset>(sample_chats(model));
  stages.push_back({"pretrain", running_text, running_text, recipe});
  stages.push_back({"fine-tune", chats, chats, in_parts});
  return stages;
}

// The losses of a run that is stopped before each of the given steps (counted over all stages) and started again.
std::vector<float> losses(const std::vector<int>& stops, int threads, const std::filesystem::path& folder) {
  std::vector<float> all;
  size_t next_stop = 0;
  for (;;) {
    Model model = sample_model();
    ThreadPool pool(threads);
    const std::vector<Stage> stages = stages_for(model);
    RunOptions options{.folder = folder};
    options.on_step = [&](const Progress& p) { all.push_back(p.grad_norm); };
    options.should_stop = [&] { return next_stop < stops.size() && static_cast<int>(all.size()) == stops[next_stop]; };
    if (run_stages(model, stages, pool, options)) break;
    CHECK(has_checkpoint(folder));
    CHECK_NOTHROW(load_model(folder));  // What is there in between is a model too.
    ++next_stop;
  }
  CHECK_FALSE(has_checkpoint(folder));
  return all;
}

std::string weights_of(const std::filesystem::path& folder) { return read_file(folder / kWeightsFile); }

}  // namespace

TEST_CASE("a run that is stopped and started again goes on as if it had not been, bit for bit") {
  const TempFolder whole, broken;
  const std::vector<float> expected = losses({}, 2, whole.path());
  REQUIRE(expected.size() == 24);
  const std::vector<float> found = losses({0, 1, 7, 12, 20}, 2, broken.path());
  REQUIRE(found.size() == 24);
  CHECK(std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)) == 0);
  CHECK(weights_of(whole.path()) == weights_of(broken.path()));
}

TEST_CASE("the same seed gives the same model on 1, 2, 3 and 8 threads") {
  const TempFolder folder;
  losses({}, 1, folder / "1");
  for (const int threads : {2, 3, 8}) {
    const std::filesystem::path other = folder / std::to_string(threads);
    losses({}, threads, other);
    CHECK(weights_of(folder / "1") == weights_of(other));
  }
}

TEST_CASE("a checkpoint of another run, or a damaged one, is refused and stays") {
  const TempFolder folder;
  Model model = sample_model();
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  int steps = 0;
  RunOptions options{.folder = folder.path()};
  options.should_stop = [&] { return ++steps > 3; };
  REQUIRE_FALSE(run_stages(model, stages, pool, options));

  stages[0].recipe.rate = 1e-3f;
  CHECK_THROWS_AS(run_stages(model, stages, pool, {.folder = folder.path()}), Error);
  CHECK(has_checkpoint(folder.path()));

  stages[0].recipe.rate = 2e-3f;
  std::string bytes = read_file(folder / "checkpoint.safetensors");
  bytes[bytes.size() - 10] ^= 1;
  write_file(folder / "checkpoint.safetensors", bytes);
  CHECK_THROWS_AS(run_stages(model, stages, pool, {.folder = folder.path()}), Error);
}

TEST_CASE("training lowers the held-out loss") {
  const TempFolder folder;
  Model model = sample_model();
  ThreadPool pool(2);
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  stages[0].recipe.steps = 60;
  Evaluator evaluator(model, 3, 40, pool);
  const double before = evaluator.loss(*stages[0].held_out, 30);
  double after = 0;
  RunOptions options{.folder = folder.path()};
  options.on_stage = [&](const Stage&, double loss) { after = loss; };
  REQUIRE(run_stages(model, stages, pool, options));
  CHECK(before == doctest::Approx(std::log(double(model.config.vocab_size))).epsilon(0.02));
  CHECK(after < before - 1);
}

TEST_CASE("a learning rate that diverges is an error that says so") {
  const TempFolder folder;
  Model model = sample_model();
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  stages[0].recipe.rate = 1e30f;
  CHECK_THROWS_AS(run_stages(model, stages, pool, {.folder = folder.path()}), Error);
  CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
}

TEST_CASE("the learning rate rises, then falls along a cosine") {
  const Recipe recipe{.steps = 110, .rate = 2.0f, .final_rate = 0.1f, .warmup = 10};
  CHECK(rate_at(recipe, 0) == doctest::Approx(0.2));
  CHECK(rate_at(recipe, 9) == doctest::Approx(2.0));
  CHECK(rate_at(recipe, 60) == doctest::Approx(1.1));
  CHECK(rate_at(recipe, 110) == doctest::Approx(0.2));
}

TEST_CASE("batches that make no sense are refused") {
  Model model = sample_model();
  ThreadPool pool(1);
  CHECK_THROWS_AS(Trainer(model, {.rows = 0}, pool), Error);
  CHECK_THROWS_AS(Trainer(model, {.rows = 1, .length = 49}, pool), Error);
}

}  // namespace tinyllm::test
