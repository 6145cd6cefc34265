#include <doctest/doctest.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/checkpoints.h>
#include <tinyllm/train/guard.h>

#include "error_of.h"
#include "temp_folder.h"
#include "train/sample_run.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>

namespace tinyllm::test {
namespace {

std::vector<Stage> stages_for(const Model& model) {
  std::vector<std::vector<int32_t>> texts;
  for (const std::string& text : sample_texts()) texts.push_back(model.tokenizer->encode(text));
  const Recipe recipe{.batch_size = 3, .seq_len = 40, .steps = 12, .learning_rate = 2e-3f, .warmup = 3};
  Recipe in_parts = recipe;
  in_parts.batch_size = 2;
  in_parts.accumulate = 2;
  in_parts.checkpoint_activations = true;
  std::vector<Stage> stages;
  const auto running_text = std::make_shared<Dataset>(Dataset::of_texts(texts, 40));
  const auto chats = std::make_shared<Dataset>(sample_chats(model));
  stages.push_back({"pretrain", running_text, running_text, recipe});
  stages.push_back({"fine-tune", chats, chats, in_parts});
  return stages;
}

// Rows that no model foretells which has learned the sample texts.
std::shared_ptr<const Dataset> noise_for(const Model& model) {
  std::vector<std::vector<int32_t>> noise(20, std::vector<int32_t>(30));
  for (size_t i = 0; i < noise.size(); ++i) {
    for (size_t j = 0; j < noise[i].size(); ++j) {
      noise[i][j] = static_cast<int32_t>(10 + (i * 131 + j * 37) % static_cast<size_t>(model.config.vocab_size - 10));
    }
  }
  return std::make_shared<Dataset>(Dataset::of_texts(noise, 40));
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

std::string weights_of(const std::filesystem::path& folder) { return read_file(folder / kWeightsFile); }

// Writes the tensors of a file again, with other notes.
void save_with_notes(const Safetensors& file, const std::map<std::string, std::string>& notes,
                     const std::filesystem::path& path) {
  std::vector<std::vector<std::byte>> bytes;
  std::vector<RawTensor> tensors;
  for (const Safetensors::Entry& entry : file.entries()) {
    bytes.emplace_back(entry.size);
    file.read(entry, bytes.back());
    tensors.push_back({entry.name, entry.dtype, entry.shape, bytes.back()});
  }
  save_safetensors(path, tensors, notes);
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

// Trains a fresh model in a folder and stops it before step `stop` (none where 0), with a checkpoint after every step.
struct Stopped {
  std::vector<std::string> events;
  bool is_done = false;

  Stopped(const std::filesystem::path& folder, int stop, const std::function<void(Recipe&)>& edit = {}) {
    Model model = sample_model();
    ThreadPool pool(1);
    std::vector<Stage> stages = stages_for(model);
    if (edit) edit(stages[0].recipe);
    int steps = 0;
    RunOptions options{.folder = folder, .save_seconds = 0};
    options.on_event = [&](const std::string& event) { events.push_back(event); };
    options.should_stop = [&] { return ++steps == stop; };
    is_done = run_stages(model, stages, pool, options);
  }
};

void damage(const std::filesystem::path& path) {
  std::string bytes = read_file(path);
  bytes[bytes.size() - 10] ^= 1;
  write_file(path, bytes);
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

TEST_CASE("a damaged checkpoint is named, and the one before it used") {
  const TempFolder whole, broken;
  REQUIRE(Stopped(whole.path(), 0).is_done);
  REQUIRE_FALSE(Stopped(broken.path(), 6).is_done);
  CHECK_FALSE(std::filesystem::exists(broken / "checkpoint-00000003.safetensors"));
  damage(broken / "checkpoint-00000005.safetensors");
  const Stopped again(broken.path(), 0);
  REQUIRE(again.events.size() == 1);
  CHECK(again.events[0].find("checkpoint-00000005.safetensors: the data's checksum is") != std::string::npos);
  CHECK(again.is_done);
  CHECK(weights_of(whole.path()) == weights_of(broken.path()));
}

TEST_CASE("a damaged checkpoint is not one of those to keep") {
  const TempFolder folder;
  Checkpoints checkpoints(folder.path());
  const auto add = [&](int64_t number) {
    checkpoints.add(number, [&](const std::filesystem::path& path) {
      const float value = static_cast<float>(number);
      save_safetensors(path, std::vector<NamedTensor>{{"x", f32, {1}, &value}});
    });
  };
  const auto file = [&](int number) { return folder / fmt::format("checkpoint-{:08}.safetensors", number); };
  for (const int64_t number : {1, 2}) add(number);
  damage(file(2));
  add(3);
  CHECK(std::filesystem::exists(file(1)));
  damage(file(3));
  CHECK(checkpoints.newest()->number == 1);
  write_file(file(9), "no checkpoint");
  add(4);
  CHECK(std::filesystem::exists(file(1)));
  CHECK(checkpoints.newest()->number == 4);
  add(5);
  CHECK_FALSE(std::filesystem::exists(file(1)));
  CHECK(std::filesystem::exists(file(4)));
}

TEST_CASE("a checkpoint whose notes cannot be is refused, and no arithmetic overflows") {
  struct Case {
    const char* note;
    const char* value;
    const char* said;
  };
  const Case cases[] = {
      {"step", "9000000000000000000", "step 9000000000000000000 of pretrain, which has 12"},
      {"step", "13", "step 13 of pretrain, which has 12"},
      {"step", "9223372036854775808", "step is \"9223372036854775808\" in its metadata, expected a whole number"},
      {"step", "-1", "step is \"-1\" in its metadata, expected a whole number"},
      {"step", "5", "is of step 5, expected 4 by its name"},
      {"stage", "2", "stage 2 of the run, expected less than 2"},
      {"stage", "9223372036854775807", "stage 9223372036854775807 of the run, expected less than 2"},
      {"stage", "", "stage is \"\" in its metadata, expected a whole number"},
      {"stage", "1", "is of step 16, expected 4 by its name"},
      {"best", "nan", "best is 'nan' in its metadata, expected a number"},
      {"best", "low", "best is 'low' in its metadata, expected a number"},
      {"first_loss", "", "first_loss is '' in its metadata, expected a number"},
      {"plan", "", "plan: line 1, byte 1: ends too early for JSON"},
      {"plan", "[1]", "plan: expected an object of strings"},
      {"plan", R"({"vocab_size":1})", "plan: expected an object of strings"},
      {"plan", "{}", "belongs to another run"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.note);
    CAPTURE(c.value);
    const TempFolder folder;
    REQUIRE_FALSE(Stopped(folder.path(), 5).is_done);
    const std::filesystem::path path = folder / "checkpoint-00000004.safetensors";
    std::filesystem::remove(folder / "checkpoint-00000003.safetensors");
    {
      const Safetensors file(path);
      std::map<std::string, std::string> notes = file.metadata();
      notes[c.note] = c.value;
      save_with_notes(file, notes, folder / "edited");
    }
    std::filesystem::rename(folder / "edited", path);
    CHECK_THROWS_WITH_AS(Stopped(folder.path(), 0), doctest::Contains(c.said), Error);
    CHECK(has_checkpoint(folder.path()));
  }
}

TEST_CASE("a checkpoint of a plan with any number of steps is refused at once") {
  for (const char* steps : {"9223372036854775807", "-9223372036854775808", "99999999999999999999", "x"}) {
    CAPTURE(steps);
    const TempFolder folder;
    const auto flat = [](Recipe& recipe) { recipe.schedule = Schedule::wsd; };
    REQUIRE_FALSE(Stopped(folder.path(), 5, flat).is_done);
    const std::filesystem::path path = folder / "checkpoint-00000004.safetensors";
    {
      const Safetensors file(path);
      std::map<std::string, std::string> notes = file.metadata();
      std::string& plan = notes["plan"];
      const std::string line = "\"pretrain steps\":\"";
      plan.replace(plan.find(line) + line.size(), 2, steps);
      save_with_notes(file, notes, folder / "edited");
    }
    std::filesystem::rename(folder / "edited", path);
    CHECK_THROWS_WITH_AS(Stopped(folder.path(), 0, flat), doctest::Contains("belongs to another run"), Error);
  }
}

TEST_CASE("a run that continues removes what a killed one left: a part of a report, and lines that are not metrics") {
  const TempFolder folder;
  REQUIRE_FALSE(Stopped(folder.path(), 6).is_done);
  const std::filesystem::path part = part_of(folder / kReportFile);
  write_file(part, "<html>");
  std::ofstream(folder / kMetricsFile, std::ios::app) << "{\"step\":\"x\"}\n";
  Model model = sample_model();
  ThreadPool pool(1);
  RunOptions options{.folder = folder.path()};
  std::vector<std::string> events;
  options.on_event = [&](const std::string& event) { events.push_back(event); };
  options.on_step = [&](const StepReport&) { CHECK_FALSE(std::filesystem::exists(part)); };
  CHECK(run_stages(model, stages_for(model), pool, options));
  REQUIRE(events.size() == 1);
  CHECK(events[0].find("1 line was removed that is not metrics") != std::string::npos);
  CHECK(read_file(folder / kMetricsFile).find("\"steps\":\"24\"") != std::string::npos);
}

TEST_CASE("a run of which no checkpoint is whole does not begin anew unasked") {
  const TempFolder folder;
  REQUIRE_FALSE(Stopped(folder.path(), 2).is_done);
  damage(folder / "checkpoint-00000001.safetensors");
  CHECK_THROWS_WITH_AS(
      Stopped(folder.path(), 0),
      fmt::format("{}: no checkpoint is whole; remove them to begin again", folder.path().string()).c_str(), Error);
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
  CHECK(events.back() == fmt::format("the validation loss was lower before, {:.4f}; the model of then is {}",
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

// What a run of the sample text throws, edited, in a folder.
std::string failure(const std::filesystem::path& folder, const std::function<void(Recipe&)>& edit,
                    RunOptions options = {}) {
  Model model = sample_model(0);
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  edit(stages[0].recipe);
  options.folder = folder;
  return error_of([&] { run_stages(model, stages, pool, options); });
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

TEST_CASE("what a killed process left of a checkpoint and of the report is removed") {
  const TempFolder folder;
  for (const char* name : {"report.html.part", "checkpoint-00000003.safetensors.part", "mine.part"}) {
    write_file(folder / name, "cut");
  }
  CHECK(failure(folder.path(), [](Recipe&) {}) == "no error");
  CHECK_FALSE(std::filesystem::exists(folder / "report.html.part"));
  CHECK_FALSE(std::filesystem::exists(folder / "checkpoint-00000003.safetensors.part"));
  CHECK(read_file(folder / "mine.part") == "cut");
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
  CHECK(events[0].find("at step 1: skipped, the weights stay as they were; its batch: " + batch) != std::string::npos);
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

TEST_CASE("a learning rate that diverges is an error that says so, and no checkpoint of it is left") {
  const TempFolder folder;
  const std::string message =
      error_of([&] { Stopped(folder.path(), 0, [](Recipe& recipe) { recipe.learning_rate = 1e30f; }); });
  CHECK(message.find("10 steps in a row were not finite; a learning rate below") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(folder / kWeightsFile));
  CHECK_FALSE(has_checkpoint(folder.path()));
}

TEST_CASE("batches that make no sense are refused") {
  Model model = sample_model();
  ThreadPool pool(1);
  CHECK_THROWS_AS(Trainer(model, {.batch_size = 0}, pool), Error);
  CHECK_THROWS_AS(Trainer(model, {.batch_size = 1, .seq_len = 49}, pool), Error);
}

}  // namespace tinyllm::test
