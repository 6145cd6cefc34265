// Runs that are killed at random moments, as by a power cut, and started again.
#include <doctest/doctest.h>

#include <tinyllm/model/lora.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/train/checkpoints.h>
#include <tinyllm/train/data/mixed_rows.h>

#include "temp_folder.h"
#include "train/sample_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sstream>
#include <thread>

namespace tinyllm::test {
namespace {

// Accumulation, dropout, rows that lengthen, an average, a mix, validations: all that a run goes on with.
void train(const std::filesystem::path& folder, int64_t lora_rank) {
  Model model = sample_model(0.1f);
  if (lora_rank > 0) add_lora(model, {.rank = lora_rank}, 7);
  ThreadPool pool(2);
  const auto chats = std::make_shared<const Dataset>(sample_chats(model));
  std::vector<std::vector<int32_t>> texts;
  for (const std::string& text : sample_texts()) texts.push_back(model.tokenizer->encode(text));
  const auto running_text = std::make_shared<const Dataset>(Dataset::of_texts(texts, 40));
  const auto mix =
      std::make_shared<const MixedRows>(std::vector<MixedRows::Part>{{"chats", chats, 1}, {"texts", running_text, 3}});
  Recipe recipe{.batch_size = 2,
                .seq_len = 40,
                .first_seq_len = 20,
                .accumulate = 2,
                .steps = 30,
                .optimizer = lora_rank > 0 ? Optimizer::adamw : Optimizer::muon,
                .warmup = 3,
                .ema_decay = 0.9f};
  Recipe shorter = recipe;
  shorter.steps = 10;
  RunOptions options{.folder = folder, .save_seconds = 0, .validate_every = 7};
  run_stages(model, {{"one", mix, chats, recipe}, {"two", chats, chats, shorter}}, pool, options);
}

// Trains in a process of its own, which is killed after some time; returns whether it had ended before.
bool train_until_killed(const std::filesystem::path& folder, int64_t lora_rank, std::chrono::microseconds time) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    try {
      train(folder, lora_rank);
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  std::this_thread::sleep_for(time);
  kill(child, SIGKILL);
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) CHECK(WEXITSTATUS(status) == 0);
  return WIFEXITED(status);
}

// The log of a killed run must hold the line of every step up to its newest checkpoint.
void check_log(const std::filesystem::path& folder) {
  const auto newest = Checkpoints(folder).newest();
  if (!newest) return;
  std::istringstream lines(read_file(folder / kMetricsFile));
  int64_t last = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\"loss\":") == std::string::npos) continue;
    const int64_t step = std::strtoll(line.c_str() + std::string("{\"step\":").size(), nullptr, 10);
    CHECK(step == last + 1);
    last = step;
  }
  CHECK(last >= newest->number);
}

// The lines of a log, without what is measured in seconds and bytes.
std::string losses_of(const std::filesystem::path& folder) {
  std::string text;
  std::istringstream lines(read_file(folder / kMetricsFile));
  for (std::string line; std::getline(lines, line);) {
    if (line.find("\"run\"") == std::string::npos) text += line.substr(0, line.find(",\"tokens_per_second\"")) + '\n';
  }
  return text;
}

}  // namespace

TEST_CASE("a run that is killed again and again has the losses and the model of one that was not, to the last bit") {
  for (const int64_t lora_rank : {0, 2}) {
    const TempFolder whole, broken;
    const auto start = std::chrono::steady_clock::now();
    REQUIRE(train_until_killed(whole.path(), lora_rank, std::chrono::hours(0)) == false);  // Before it has begun.
    train(whole.path(), lora_rank);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    // Times that get longer, should the machine be so slow that a run never gets further between two kills.
    Random random(static_cast<uint64_t>(11 + lora_rank));
    int kills = 0;
    double longest = 0.1 * taken.count();
    while (!train_until_killed(broken.path(), lora_rank,
                               std::chrono::microseconds(static_cast<int64_t>(1e6 * random.uniform() * longest)))) {
      check_log(broken.path());
      if (++kills % 10 == 0) longest *= 1.5;
    }
    CHECK(kills > 0);
    MESSAGE(kills << " times killed");
    CHECK(losses_of(broken.path()) == losses_of(whole.path()));
    CHECK(read_file(broken / kWeightsFile) == read_file(whole / kWeightsFile));
    CHECK_FALSE(has_checkpoint(broken.path()));
  }
}

}  // namespace tinyllm::test
