#include <doctest/doctest.h>

#include <tinyllm/train/checkpoints.h>

#include "flip_bit.h"
#include "train/short_run.h"

#include <fstream>
#include <map>

namespace tinyllm::test {
namespace {

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

TEST_CASE("a damaged checkpoint is named, and the one before it used") {
  const TempFolder whole, broken;
  REQUIRE(Stopped(whole.path(), 0).is_done);
  REQUIRE_FALSE(Stopped(broken.path(), 6).is_done);
  CHECK_FALSE(std::filesystem::exists(broken / "checkpoint-00000003.safetensors"));
  flip_bit(broken / "checkpoint-00000005.safetensors");
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
  flip_bit(file(2));
  add(3);
  CHECK(std::filesystem::exists(file(1)));
  flip_bit(file(3));
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

TEST_CASE("a run of which no checkpoint is whole does not begin anew unasked") {
  const TempFolder folder;
  REQUIRE_FALSE(Stopped(folder.path(), 2).is_done);
  flip_bit(folder / "checkpoint-00000001.safetensors");
  CHECK_THROWS_WITH_AS(
      Stopped(folder.path(), 0),
      fmt::format("{}: no checkpoint is whole; remove them to begin again", folder.path().string()).c_str(), Error);
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

}  // namespace tinyllm::test
