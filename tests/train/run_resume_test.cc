#include <doctest/doctest.h>

#include "train/short_run.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace tinyllm::test {
namespace {

// The losses of a run that is stopped before each of the given steps (counted over all stages) and started again.
std::vector<float> losses(const std::vector<int>& stops, int threads, const std::filesystem::path& folder) {
  std::vector<float> all;
  size_t next_stop = 0;
  for (;;) {
    Model model = sample_model();
    ThreadPool pool(threads);
    const std::vector<Stage> stages = stages_for(model);
    RunOptions options{.folder = folder};
    options.on_step = [&](const StepReport& p) { all.push_back(p.grad_norm); };
    options.should_stop = [&] { return next_stop < stops.size() && static_cast<int>(all.size()) == stops[next_stop]; };
    if (run_stages(model, stages, pool, options)) break;
    CHECK(has_checkpoint(folder));
    CHECK_NOTHROW(load_model(folder));  // What is there in between is a model too.
    ++next_stop;
  }
  CHECK_FALSE(has_checkpoint(folder));
  return all;
}

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

TEST_CASE("the log of a run that was stopped has the same losses as that of one that was not") {
  const TempFolder whole, broken;
  losses({}, 1, whole.path());
  losses({1, 7, 20}, 1, broken.path());
  const auto logged = [](const std::filesystem::path& folder) {
    std::string text;
    std::istringstream lines(read_file(folder / kMetricsFile));
    for (std::string line; std::getline(lines, line);) {
      if (line.find("\"loss\"") != std::string::npos) text += line.substr(0, line.find("tokens_per_second"));
    }
    return text;
  };
  CHECK(std::ranges::count(logged(whole.path()), '}') == 0);
  CHECK(logged(whole.path()).find("{\"step\":24,\"stage\":\"fine-tune\",\"loss\":") != std::string::npos);
  CHECK(logged(whole.path()) == logged(broken.path()));
  CHECK(read_file(broken / kReportFile).find("fine-tune") != std::string::npos);
}

TEST_CASE("a checkpoint of another run is refused, says which settings differ, and stays") {
  const TempFolder folder;
  REQUIRE_FALSE(Stopped(folder.path(), 4).is_done);
  const std::string message =
      error_of([&] { Stopped(folder.path(), 0, [](Recipe& recipe) { recipe.learning_rate = 1e-3f; }); });
  CHECK(message.find("belongs to another run: pretrain learning_rate is 0.001, was 0.002; remove it") !=
        std::string::npos);
  CHECK(has_checkpoint(folder.path()));
}

TEST_CASE("a run whose rate is still flat may be given more steps or fewer, and ends as one that always had them") {
  const auto flat = [](int64_t steps) {
    return [=](Recipe& recipe) {
      recipe.schedule = Schedule::wsd;
      recipe.cooldown = 0.5f;
      recipe.steps = steps;
    };
  };
  const TempFolder whole, other, late;
  REQUIRE(Stopped(whole.path(), 0, flat(9)).is_done);
  REQUIRE_FALSE(Stopped(other.path(), 5, flat(20)).is_done);  // Of 20 steps, 11 are flat; of 9, 6.
  REQUIRE(Stopped(other.path(), 0, flat(9)).is_done);
  CHECK(weights_of(whole.path()) == weights_of(other.path()));
  const TempFolder shorter;
  REQUIRE_FALSE(Stopped(shorter.path(), 3, flat(5)).is_done);  // Of 5 steps, 4 are flat.
  REQUIRE(Stopped(shorter.path(), 0, flat(9)).is_done);
  CHECK(weights_of(whole.path()) == weights_of(shorter.path()));
  REQUIRE_FALSE(Stopped(late.path(), 9, flat(20)).is_done);
  CHECK_THROWS_WITH_AS(Stopped(late.path(), 0, flat(9)), doctest::Contains("pretrain steps is 9, was 20;"), Error);
  CHECK(Stopped(late.path(), 0, flat(20)).is_done);

  // A rate that always changes allows it never; nor may a run end with the steps that it has done, unseen.
  const TempFolder cosine, done;
  REQUIRE_FALSE(Stopped(cosine.path(), 6).is_done);
  CHECK_THROWS_AS(Stopped(cosine.path(), 0, [](Recipe& recipe) { recipe.steps = 20; }), Error);
  REQUIRE_FALSE(Stopped(done.path(), 5, flat(20)).is_done);
  CHECK_THROWS_AS(Stopped(done.path(), 0, flat(4)), Error);
}

TEST_CASE("a run that begins anew has a log of its own") {
  const TempFolder folder;
  for (int i = 0; i < 2; ++i) {
    REQUIRE(Stopped(folder.path(), 0).is_done);
    const std::string log = read_file(folder / kMetricsFile);
    CHECK(log.find("\"run\":") != std::string::npos);
    CHECK(log.find("\"run\":") == log.rfind("\"run\":"));
  }
}

}  // namespace tinyllm::test
