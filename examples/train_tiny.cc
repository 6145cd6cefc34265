// Trains a small model, on made-up problems of arithmetic and everyday reasoning or on your own text.
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/text_dataset.h>
#include <tinyllm/train/tasks/reasoning.h>

#include "common/interrupt.h"
#include "common/progress_bar.h"
#include "common/training_options.h"

#include <map>

namespace tl = tinyllm;

namespace {

// The values of a preset. Options change single fields.
struct Preset {
  tl::ModelConfig model;
  tl::Recipe recipe;
};

Preset small(int64_t vocab_size) {
  Preset p;
  p.model = {
      .vocab_size = vocab_size, .dim = 128, .n_layers = 4, .n_heads = 4, .ffn_dim = 512, .context = 256, .dropout = 0};
  p.recipe = {.batch_size = 4, .seq_len = 256, .steps = 8400, .learning_rate = 2.5e-3f, .final_lr_fraction = 0.02f};
  return p;
}

Preset full_size() {
  Preset p;
  p.recipe = {.batch_size = 8, .seq_len = 256, .steps = 2000, .learning_rate = 6e-4f};
  return p;
}

struct Options {
  std::string data, tokenizer;
  std::string preset = "small";
  int64_t vocab_size = 0;  // 0: that of the preset.
  tl::cli::TrainingOptions training;
};

Preset preset_of(const Options& o) {
  if (o.preset == "default") return full_size();
  Preset p = small(o.data.empty() ? 640 : 4000);
  if (o.preset == "llama") p.model = tl::as_llama(p.model);
  return p;
}

// Reads the options, whose defaults are those of the preset that `o` names.
void parse(Options& o, CLI::App& app, int argc, char** argv) {
  app.add_option("--data", o.data,
                 "Pretrain on this UTF-8 text, or file of tokens, instead of built-in problems, and report perplexity.")
      ->type_name("FILE");
  app.add_option("--tokenizer", o.tokenizer, "Use the tokenizer that made the file of tokens: its file or its folder.")
      ->type_name("FILE");
  std::vector<std::pair<std::string, std::string>> presets;
  for (const char* name : {"small", "llama", "default"}) presets.emplace_back(name, name);
  tl::cli::add_choice(
      app, "--preset", o.preset, presets,
      "Train a model of 1 M parameters (small), the same in the form of Llama, which convert writes for "
      "other programs (llama), or one of 41.6 M (default).");
  tl::cli::add_number(app, "--vocab-size", o.vocab_size, tl::between(1, 1 << 24),
                      "Learn a vocabulary of up to this many tokens; by default 640 for problems and 4000 for text.")
      ->default_str("");
  tl::cli::add_training_options(app, o.training);
  app.remove_option(app.get_option("--epochs"));
  app.get_option("--steps")->description(
      "Take this many optimizer steps; with built-in problems, a third of them pretrains and the others fine-tune.");
  tl::cli::add_examples(app, {"train_tiny -o tinyllm-model --dashboard 8080", "train_tiny --data book.txt -o my-model"},
                        "chat tinyllm-model");
  tl::cli::parse(app, argc, argv);
}

tl::Model make_model(Preset& preset, std::shared_ptr<const tl::Tokenizer> tokenizer) {
  preset.model.vocab_size = tokenizer->size();
  tl::Model model{preset.model, std::move(tokenizer)};
  tl::init_weights(tl::weight_specs(model.config), preset.recipe.seed, *model.weights);
  return model;
}

tl::Model make_model(Preset& preset, const std::vector<std::string>& texts) {
  fmt::print(stderr, "learning a vocabulary of up to {} tokens\n", preset.model.vocab_size);
  return make_model(preset, std::make_shared<tl::SentencePieceTokenizer>(
                                tl::SentencePieceTokenizer::train(texts, {preset.model.vocab_size})));
}

using Rows = std::shared_ptr<const tl::Dataset>;

Rows text_rows(const tl::Tokenizer& tokenizer, const std::vector<std::string>& texts, int64_t length) {
  std::vector<std::vector<int32_t>> encoded;
  for (const std::string& text : texts) encoded.push_back(tokenizer.encode(text));
  return std::make_shared<tl::Dataset>(tl::Dataset::of_texts(encoded, length, tokenizer.pad()));
}

Rows chat_rows(const tl::Model& model, const std::vector<tl::Problem>& problems, int64_t length) {
  return std::make_shared<tl::Dataset>(
      tl::Dataset::of_samples(tl::chat_samples(model, tl::as_conversations(problems)), length, model.tokenizer->pad()));
}

void describe(const tl::Dataset& data, const char* name) {
  const tl::PackReport& r = data.report();
  fmt::print("{}: {}, {} tokens, {} learned, {} of {}, {} cut short\n", name, tl::cli::count(r.samples, "text"),
             r.tokens, r.learned_tokens, tl::cli::count(r.rows, "row"), data.length(), r.truncated);
}

// A model and the stages of its training, with the questions in their data.
struct Plan {
  tl::Model model;
  std::vector<tl::Stage> stages;
  tl::SeenQuestions seen = {};
};

// ---- Your own text --------------------------------------------------------------------------------------------------

Plan plan_for_text(const Options& o, Preset preset) {
  const std::string text = tl::read_file(o.data);
  tl::check_utf8(text, o.data);
  const tl::TextSplit split = tl::split_text(text);
  tl::Model model = make_model(preset, split.train);
  const Rows train = text_rows(*model.tokenizer, split.train, preset.recipe.seq_len);
  const Rows validation = text_rows(*model.tokenizer, split.validation, preset.recipe.seq_len);
  describe(*train, "text");
  describe(*validation, "validation");
  return {std::move(model), {{"pretrain", train, validation, preset.recipe}}};
}

// A file of tokens, as examples/tokenize makes it.
Plan plan_for_tokens(const Options& o, Preset preset) {
  tl::Model model = make_model(preset, tl::load_tokenizer(o.tokenizer));
  const auto file = tl::cli::open_tokens(o.data, *model.tokenizer);
  const auto part = [&](tl::TextPart which) {
    return std::make_shared<const tl::TextDataset>(
        file, tl::TextOptions{.length = preset.recipe.seq_len, .part = which, .pad = model.tokenizer->pad()});
  };
  const auto train = part(tl::TextPart::train);
  const auto validation = part(tl::TextPart::validation);
  fmt::print("{}: {}; {} tokens to learn from, {} for validation\n", o.data,
             tl::cli::count(file->documents(), "document"), train->tokens(), validation->tokens());
  return {std::move(model), {{"pretrain", train, validation, preset.recipe}}};
}

// ---- Built-in problems ----------------------------------------------------------------------------------------------

constexpr int64_t kValidationProblems = 500;

Plan plan_for_problems(Preset preset) {
  constexpr int64_t kProblems = 80000;
  constexpr uint64_t kPractice = 40000;
  const uint64_t seed = preset.recipe.seed;
  const std::vector<tl::Problem> problems = tl::make_problems(seed, kProblems, tl::Split::train);
  const std::vector<tl::Problem> validation = tl::make_problems(seed, kValidationProblems, tl::Split::validation);
  std::vector<std::string> texts, validation_texts;
  for (const tl::Problem& p : problems) texts.push_back(tl::as_text(p));
  for (uint64_t i = 0; i < kPractice; ++i) texts.push_back(tl::practice(seed, i));
  for (const tl::Problem& p : validation) validation_texts.push_back(tl::as_text(p));

  std::vector<std::string> tokenizer_texts(texts.begin(), texts.begin() + 10000);
  for (size_t i = 0; i < 10000; ++i) {
    tokenizer_texts.push_back(tl::reasoning("", "") + problems[0].system + problems[i].system);
  }
  tl::Model model = make_model(preset, tokenizer_texts);
  const int64_t length = preset.recipe.seq_len;
  const tl::Tokenizer& tokenizer = *model.tokenizer;
  tl::Recipe pretrain = preset.recipe, fine_tune = preset.recipe;
  pretrain.steps = preset.recipe.steps / 3;
  fine_tune.steps = preset.recipe.steps - pretrain.steps;
  const Rows practice = text_rows(tokenizer, texts, length);
  const Rows chats = chat_rows(model, problems, length);
  describe(*practice, "pretrain");
  describe(*chats, "fine-tune");
  std::vector<tl::Stage> stages = {{"pretrain", practice, text_rows(tokenizer, validation_texts, length), pretrain},
                                   {"fine-tune", chats, chat_rows(model, validation, length), fine_tune}};
  tl::SeenQuestions seen;
  for (const tl::Problem& p : problems) seen.add(p.question);
  return {std::move(model), std::move(stages), std::move(seen)};
}

void report(const std::vector<tl::Answered>& answers) {
  std::map<std::string, std::pair<int, int>> kinds;
  int right = 0;
  for (const tl::Answered& a : answers) {
    auto& [good, all] = kinds[a.problem.kind];
    good += a.is_right;
    ++all;
    right += a.is_right;
  }
  fmt::print("\nvalidation problems, greedy, exact match: {}/{} = {:.1f} %\n", right, answers.size(),
             100.0 * right / static_cast<double>(answers.size()));
  for (const auto& [kind, counts] : kinds) fmt::print("  {}: {}/{}\n", kind, counts.first, counts.second);
  fmt::print("\nfive of them:\n");
  for (size_t i = 0; i < 5 && i < answers.size(); ++i) {
    const tl::Answered& a = answers[i];
    fmt::print("\n  问 {}\n  想 {}\n  答 {}  [{}]\n", a.problem.question, a.said.cot, a.said.final,
               a.is_right ? "right" : "wrong: " + a.problem.final);
  }
}

// Asks the model problems that it was not trained on.
void ask(const tl::Model& model, const Options& o) {
  constexpr int64_t kAtOnce = 50;
  const tl::cli::InterruptGuard guard("\nStopping after the next answer.\n");
  const std::vector<tl::Problem> problems =
      tl::make_problems(o.training.recipe.seed, kValidationProblems, tl::Split::validation);
  tl::Session session(model, {.sequences = kAtOnce, .pool = tl::ThreadPool(o.training.threads)});
  std::vector<tl::Answered> answers;
  {
    tl::cli::ProgressBar bar("asking", kValidationProblems);
    answers = tl::answer(session, problems, [&](const tl::Progress& p) {
      bar.show(p.done, "validation problems");
      return tl::cli::interrupts == 0;
    });
  }
  if (answers.size() < problems.size()) fmt::print(stderr, "stopped asking after {} problems\n", answers.size());
  report(answers);
}

int run(int argc, char** argv) {
  Options o;
  o.training.output = "tinyllm-model";
  o.training.save_seconds = 60;
  o.training.validate_every = 0;
  const char* description =
      "Trains a small language model on this machine and saves it as a folder that chat opens.\n"
      "Without --data: pretrains and fine-tunes on made-up reasoning problems, then asks the model new ones.\n"
      "Started again with the same options, it resumes where it was stopped.";
  CLI::App first(description), second(description);
  o.training.recipe = preset_of(o).recipe;
  parse(o, first, argc, argv);
  const bool is_small = o.preset == "small";
  if (!is_small) {  // Parsed again, with the defaults of that preset.
    o.training.recipe = preset_of(o).recipe;
    parse(o, second, argc, argv);
  }
  const CLI::App& app = is_small ? first : second;
  Preset preset = preset_of(o);
  if (app.get_option("--warmup")->count() == 0) {
    o.training.recipe.warmup = std::min<int64_t>(o.training.recipe.warmup, o.training.recipe.steps / 10 + 1);
  }
  preset.model.context = std::max(preset.model.context, o.training.recipe.seq_len);
  if (o.vocab_size != 0) preset.model.vocab_size = o.vocab_size;
  o.training.dependents = {{"--tokenizer", !o.data.empty(), "without --data"},
                           {"--vocab-size", o.tokenizer.empty(), "with --tokenizer"}};
  tl::cli::check_options(app, o.training, preset.model.context);
  tl::check(preset.model);
  tl::cli::settle_precision(o.training);
  preset.recipe = o.training.recipe;
  const auto lock = tl::cli::lock_output(o.training);
  Plan plan = o.data.empty()        ? plan_for_problems(preset)
              : o.tokenizer.empty() ? plan_for_text(o, preset)
                                    : plan_for_tokens(o, preset);
  o.training.seen = std::move(plan.seen);
  tl::RunOptions options;
  options.lock = lock.get();
  options.prompts = tl::cli::text_prompts(o.training, *plan.model.tokenizer);
  const int code = tl::cli::train(plan.model, plan.stages, app, o.training, std::move(options));
  if (code != 0 || o.training.dry_run) return code;
  if (o.data.empty()) ask(plan.model, o);
  fmt::print("talk to it: chat {}\n", o.training.output);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(argc, argv); });
}
