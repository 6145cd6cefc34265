// A model folder learns to chat, or to reason, from samples.
#include <tinyllm/model/lora.h>
#include <tinyllm/train/data/mixed_rows.h>
#include <tinyllm/train/data/samples.h>
#include <tinyllm/train/tasks/reasoning.h>

#include "common/training_options.h"

#include <charconv>
#include <cstdio>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string model;
  std::vector<std::string> data;
  std::string system = "你是乐于助人的中文助手";
  int64_t held_out_every = 50;
  bool skips_bad = false;
  tl::Learn learn = tl::Learn::answers;
  float dropout = -1;
  tl::Lora lora;
  bool keep_adapters = false;
  tl::cli::TrainingOptions training;
};

// FILE or FILE:WEIGHT.
struct Source {
  std::string path;
  double weight = 1;

  explicit Source(const std::string& text) : path(text) {
    const size_t colon = text.rfind(':');
    if (colon == std::string::npos) return;
    const char* end = text.data() + text.size();
    double number = 0;
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, number);
    if (error != std::errc() || rest != end) return;  // A path with a colon.
    path.resize(colon);
    weight = number;
  }
};

// The samples of a file as rows to learn from and rows held out.
struct Rows {
  std::shared_ptr<const tl::Dataset> train, held_out;
};

Rows read_rows(const Source& source, const Options& o, const tl::Tokenizer& tokenizer) {
  tl::SampleOptions reading;
  int64_t bad = 0;
  if (o.skips_bad) {
    reading.on_bad = [&](int64_t line, const std::string& problem) {
      ++bad;
      fmt::print(stderr, "{}:{}: {}\n", source.path, line, problem);
    };
  }
  std::vector<tl::Sample> train, held_out;
  tl::SampleCounts counts;
  int64_t number = 0;
  for (const tl::Conversation& chat : tl::read_samples<tl::Conversation>(source.path, reading, &counts)) {
    const bool is_held_out = ++number % o.held_out_every == 0;
    (is_held_out ? held_out : train).push_back(tl::chat_sample(tokenizer, chat, o.learn));
  }
  if (held_out.empty()) {
    throw tl::Error("{}: {} samples, too few to hold one of {} out", source.path, number, o.held_out_every);
  }
  const int64_t length = o.training.recipe.length;
  const Rows rows = {std::make_shared<tl::Dataset>(tl::Dataset::of_samples(train, length)),
                     std::make_shared<tl::Dataset>(tl::Dataset::of_samples(held_out, length))};
  const tl::PackReport& r = rows.train->report();
  fmt::print("{}: {} samples, {} held out, {} cut at {} tokens, {} with nothing learned left out", source.path, number,
             held_out.size(), r.truncated, length, r.dropped);
  fmt::print("; {} rows, {} tokens, {} of them learned{}\n", r.rows, r.tokens, r.learned_tokens,
             bad > 0 ? fmt::format("; {} bad lines passed over", bad) : "");
  if (!counts.ignored.empty()) fmt::print("{}: ignored fields: {}\n", source.path, tl::ignored_fields(counts));
  return rows;
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--model", o.model, "The model folder to begin with")->required();
  app.add_option("--data", o.data,
                 "Samples as JSON lines, see show_samples; FILE:WEIGHT gives its share of the rows beside other files")
      ->required();
  app.add_option("--system", o.system, "The system prompt of --prompt")->capture_default_str();
  app.add_option("--held-out-every", o.held_out_every, "One of so many samples is held out for validation")
      ->check(CLI::Range(int64_t{2}, int64_t{1} << 40))
      ->capture_default_str();
  app.add_flag("--skip-bad", o.skips_bad, "Pass over lines that are no samples, naming them, instead of stopping");
  tl::cli::add_choice(app, "--learn", o.learn,
                      {{"answers", tl::Learn::answers}, {"last", tl::Learn::last_answer}, {"all", tl::Learn::all}},
                      "answers, the last answer of each sample, or all: prompts too");
  app.add_option("--dropout", o.dropout, "While training; below 0: as the model has it")->capture_default_str();
  const auto add = [&](const char* name, auto& value, const char* description) {
    return app.add_option(name, value, description)->capture_default_str()->group("LoRA");
  };
  add("--lora-rank", o.lora.rank, "Train adapters of this rank instead of all weights; 0: all weights")
      ->check(CLI::NonNegativeNumber);
  add("--lora-alpha", o.lora.alpha, "What adapters add is scaled by this, divided by the rank");
  add("--lora-targets", o.lora.targets, "Matrices of a block that have adapters");
  app.add_flag("--keep-adapters", o.keep_adapters, "Save adapters beside the model's weights, not merged into them")
      ->group("LoRA");
}

int run(int argc, char** argv) {
  Options o;
  o.training.epochs = 2;
  o.training.recipe = {
      .length = 0, .steps = 0, .rate = 3e-4f, .schedule = tl::Schedule::linear, .final_rate = 0, .warmup = 20};
  CLI::App app(
      "Fine-tunes a model folder on chats and reasoning samples, mixed by weight, and saves it as another folder.\n"
      "Started again with the same options, it goes on where it was stopped.");
  add_options(app, o);
  tl::cli::add_training_options(app, o.training);
  tl::cli::parse(app, argc, argv);
  if (std::filesystem::exists(o.training.output) && std::filesystem::equivalent(o.model, o.training.output)) {
    throw tl::Error("{}: is the model to begin with; give another --output", o.training.output);
  }
  tl::cli::check_output(o.training);

  tl::Model model = tl::load_model(o.model);
  if (model.config.lora.rank > 0) tl::merge_lora(model);
  tl::Recipe& recipe = o.training.recipe;
  if (recipe.length == 0) recipe.length = model.config.context;
  if (o.dropout >= 0) model.config.dropout = o.dropout;
  if (o.lora.rank > 0) tl::add_lora(model, o.lora, recipe.seed);
  tl::check(recipe, model.config);

  std::vector<tl::MixedRows::Part> train, held_out;
  tl::RunOptions options;
  for (const std::string& text : o.data) {
    const Source source(text);
    const Rows rows = read_rows(source, o, model.tokenizer);
    train.push_back({source.path, rows.train, source.weight});
    held_out.push_back({source.path, rows.held_out, source.weight});
    const tl::PackReport& report = rows.train->report();
    options.mix.push_back({source.path, source.weight, 0, report.samples, report.tokens});
  }
  const auto mix = std::make_shared<const tl::MixedRows>(train);
  tl::cli::settle(o.training, *mix);

  for (size_t i = 0; i < options.mix.size(); ++i) options.mix[i].share = mix->share(i);
  for (const std::string& prompt : o.training.prompts) {
    options.prompts.push_back(
        {prompt, tl::chat_prompt(model.tokenizer, {o.system, {{prompt, ""}}}, model.config.context / 2)});
  }
  if (!o.keep_adapters && o.lora.rank > 0) options.finish = tl::merge_lora;
  const tl::Stage stage = {"fine-tune", mix, std::make_shared<const tl::MixedRows>(held_out), recipe};
  return tl::cli::train(model, stage, app, o.training, std::move(options));
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // On a pipe, results and progress in the order in which they happen.
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "finetune: {}\n", error.what());
    return 1;
  }
}
