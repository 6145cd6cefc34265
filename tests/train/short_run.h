#pragma once

#include <tinyllm/tensor/base/file.h>

#include "error_of.h"
#include "temp_folder.h"
#include "train/sample_run.h"

#include <functional>

// Short runs of a small model, for the tests of run.h.
namespace tinyllm::test {

/// Two short stages over the sample texts and chats.
inline std::vector<Stage> stages_for(const Model& model) {
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

/// Rows that a model which has learned the sample texts cannot predict.
inline std::shared_ptr<const Dataset> noise_for(const Model& model) {
  std::vector<std::vector<int32_t>> noise(20, std::vector<int32_t>(30));
  for (size_t i = 0; i < noise.size(); ++i) {
    for (size_t j = 0; j < noise[i].size(); ++j) {
      noise[i][j] = static_cast<int32_t>(10 + (i * 131 + j * 37) % static_cast<size_t>(model.config.vocab_size - 10));
    }
  }
  return std::make_shared<Dataset>(Dataset::of_texts(noise, 40));
}

inline std::string weights_of(const std::filesystem::path& folder) { return read_file(folder / kWeightsFile); }

/// Trains a fresh model in a folder with a checkpoint after every step, and stops it before step `stop`; 0: it does not
/// stop.
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

/// Runs the first stage in a folder, with an edited recipe. Returns the message of the Error, or "no error".
inline std::string failure(const std::filesystem::path& folder, const std::function<void(Recipe&)>& edit,
                           RunOptions options = {}) {
  Model model = sample_model(0);
  ThreadPool pool(1);
  std::vector<Stage> stages = stages_for(model);
  stages.pop_back();
  edit(stages[0].recipe);
  options.folder = folder;
  return error_of([&] { run_stages(model, stages, pool, options); });
}

}  // namespace tinyllm::test
