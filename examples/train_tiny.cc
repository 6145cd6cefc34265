// Trains a small model, on made-up problems of arithmetic and everyday reasoning or on your own text.
#include <tinyllm/model/text/prompt.h>
#include <tinyllm/model/text/reasoning.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>
#include <tinyllm/tensor/base/random.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/mixed_rows.h>
#include <tinyllm/train/data/packed_dataset.h>
#include <tinyllm/train/data/text_dataset.h>
#include <tinyllm/train/eval/answers.h>
#include <tinyllm/train/problems/draw.h>
#include <tinyllm/train/problems/practice.h>

#include "common/interrupt.h"
#include "common/problem_options.h"
#include "common/progress_bar.h"
#include "common/training_options.h"

#include <algorithm>
#include <map>

namespace tl = tinyllm;
namespace problems = tinyllm::problems;
namespace eval = tinyllm::eval;

namespace {

// The values of a preset. Options change single fields.
struct Preset {
  tl::ModelConfig model;
  tl::Recipe recipe;
  tl::cli::ProblemOptions problems = {};
  int64_t count = 0;    // Of problems to learn from.
  double practice = 0;  // The share of rows that are equations alone.
};

Preset small(int64_t vocab_size) {
  Preset p;
  p.model = {
      .vocab_size = vocab_size, .dim = 128, .n_layers = 4, .n_heads = 4, .ffn_dim = 512, .context = 256, .dropout = 0};
  tl::cli::set_best_form(p.model);
  p.recipe = tl::cli::best_recipe();
  p.recipe.batch_size = 16;
  p.recipe.steps = 2600;
  p.recipe.learning_rate = 3e-3f;
  p.problems.kinds = {"brackets", "multiples", "distance", "shopping", "units", "clock", "ages", "time_sum"};
  p.count = 80'000;
  p.practice = 0.4;
  return p;
}

// All kinds of problems on two levels.
Preset reason() {
  Preset p;
  p.model = {.vocab_size = 2000, .dim = 192, .n_layers = 8, .n_heads = 6, .ffn_dim = 768, .context = 512, .dropout = 0};
  tl::cli::set_best_form(p.model);
  p.recipe = tl::cli::best_recipe();
  p.recipe.batch_size = 12;
  p.recipe.seq_len = 512;
  p.recipe.steps = 4000;
  p.recipe.learning_rate = 2.5e-3f;
  p.problems.levels = {"1", "2"};
  p.count = 120'000;
  p.practice = 0.3;
  return p;
}

Preset full_size() {
  Preset p = small(0);
  p.model = {};
  p.recipe = {.batch_size = 8, .seq_len = 256, .steps = 2000, .learning_rate = 6e-4f};
  return p;
}

struct Options {
  std::string data, tokenizer;
  std::string preset = "small";
  tl::cli::ProblemOptions problems;
  int64_t count = 0;
  int64_t vocab_size = 0;  // 0: that of the preset.
  tl::cli::TrainingOptions training;
};

Preset preset_of(const Options& o) {
  if (o.preset == "default") return full_size();
  if (o.preset == "reason") return reason();
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
  for (const char* name : {"small", "llama", "reason", "default"}) presets.emplace_back(name, name);
  tl::cli::add_choice(
      app, "--preset", o.preset, presets,
      "Train a model of 1 M parameters on eight kinds of problems (small), the same in the form of Llama, which "
      "convert "
      "writes for other programs (llama), one of 4 M on all kinds in two levels (reason), or one of 41.6 M (default).");
  tl::cli::add_problem_options(app, o.problems);
  tl::cli::add_number(app, "--problems", o.count, tl::between(1, 1e7),
                      "Learn from N problems, and from lines of equations to practise on, one for four problems.");
  tl::cli::add_number(app, "--vocab-size", o.vocab_size, tl::between(1, 1 << 24),
                      "Learn a vocabulary of up to this many tokens; by default 640 for problems and 4000 for text.")
      ->default_str("");
  tl::cli::add_training_options(app, o.training);
  app.remove_option(app.get_option("--epochs"));
  app.get_option("--steps")->description("Take this many optimizer steps.");
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

Rows chat_rows(const tl::Model& model, const std::vector<tl::Messages>& chats, int64_t length) {
  const tl::Tokenizer& tokenizer = *model.tokenizer;
  std::vector<tl::Sample> samples;
  for (const tl::Messages& chat : chats) samples.push_back(tokenize(tokenizer, model.chat_template->render(chat, {})));
  return std::make_shared<tl::Dataset>(tl::Dataset::of_samples(samples, length, tokenizer.pad()));
}

void describe(const tl::Dataset& data, const char* name) {
  const tl::PackReport& r = data.report();
  fmt::print("{}: {}, {} tokens, {} learned, {} of {}, {} cut short\n", name, tl::counted(r.samples, "text"), r.tokens,
             r.learned_tokens, tl::counted(r.rows, "row"), data.length(), r.truncated);
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
  fmt::print("{}: {}; {} tokens to learn from, {} for validation\n", o.data, tl::counted(file->documents(), "document"),
             train->tokens(), validation->tokens());
  return {std::move(model), {{"pretrain", train, validation, preset.recipe}}};
}

// ---- Built-in problems ----------------------------------------------------------------------------------------------

constexpr int64_t kValidationProblems = 500;

// Problems whose numbers are not trained on.
std::vector<problems::Problem> validation_problems(const Options& o) {
  return problems::make_problems(tl::cli::wanted_by(o.problems, problems::Split::numbers), o.training.recipe.seed,
                                 kValidationProblems);
}

std::vector<std::string> practice_lines(const Options& o, uint64_t seed) {
  std::vector<std::string> lines;
  for (uint64_t i = 0; std::ssize(lines) <= o.count / 4; ++i) {
    const std::string& level = o.problems.levels[i % o.problems.levels.size()];
    lines.push_back(problems::practice(level[0] - '0', seed, i));
  }
  return lines;
}

Plan plan_for_problems(const Options& o, Preset preset) {
  const uint64_t seed = preset.recipe.seed;
  std::vector<problems::Problem> made;
  {
    const std::vector<problems::Wanted> wanted = tl::cli::wanted_by(o.problems, problems::Split::train);
    tl::cli::ProgressBar bar("problems", o.count);
    problems::draw_in_turn(
        wanted.size(), o.count,
        [&](size_t source, uint64_t index) { return problems::make_problem(wanted[source], seed, index); },
        [&](problems::Problem problem) {
          made.push_back(std::move(problem));
          bar.show(std::ssize(made), made.back().kind);
        });
  }
  // Sources take turns; a conversation should not always have the same kinds in the same order.
  tl::Random random(seed);
  for (size_t i = made.size(); i > 1; --i) {
    std::swap(made[i - 1], made[static_cast<size_t>(random.below(static_cast<int64_t>(i)))]);
  }
  const std::vector<tl::Messages> chats = problems::as_conversations(made);
  std::vector<std::string> texts;
  for (size_t i = 0; i < std::min<size_t>(20'000, chats.size()); ++i) {
    for (const tl::Message& message : chats[i]) texts.push_back(message.content);
  }
  tl::Model model = make_model(preset, texts);
  const int64_t length = preset.recipe.seq_len;
  const Rows rows = chat_rows(model, chats, length);
  describe(*rows, "problems");
  const Rows equations = text_rows(*model.tokenizer, practice_lines(o, seed), length);
  describe(*equations, "practice");
  const auto mixed = std::make_shared<const tl::MixedRows>(std::vector<tl::MixedRows::Part>{
      {"problems", rows, 1 - preset.practice}, {"practice", equations, preset.practice}});
  std::vector<tl::Stage> stages = {
      {"train", mixed, chat_rows(model, problems::as_conversations(validation_problems(o)), length), preset.recipe}};
  tl::SeenQuestions seen;
  for (const problems::Problem& p : made) seen.add(p.question);
  return {std::move(model), std::move(stages), std::move(seen)};
}

struct Tally {
  int64_t right = 0, all = 0;
};

void report(const eval::QuestionSet& set, const std::vector<eval::Result>& results) {
  std::map<std::string, Tally> kinds;
  Tally total;
  for (const eval::Result& result : results) {
    const bool is_right = result.scores.at("greedy_strict") == 1;
    for (Tally* tally : {&total, &kinds[result.kind]}) {
      tally->right += is_right;
      ++tally->all;
    }
  }
  fmt::print("\nvalidation problems, greedy, exact match: {}/{} = {:.1f} %\n", total.right, total.all,
             100.0 * static_cast<double>(total.right) / static_cast<double>(total.all));
  for (const auto& [kind, tally] : kinds) fmt::print("  {}: {}/{}\n", kind, tally.right, tally.all);
  fmt::print("\nfive of them:\n");
  for (size_t i = 0; i < 5 && i < results.size(); ++i) {
    const eval::Question& question = set.questions[results[i].question];
    const std::string text = tl::parse_json(results[i].detail, "answer")["greedy"]["said"];
    const tl::ParsedAnswer said = tl::parse_reasoning(text);
    fmt::print("\n  问 {}\n  想 {}\n  答 {}  [{}]\n", question.text, said.cot, said.final,
               results[i].scores.at("greedy_strict") == 1 ? "right" : "wrong: " + question.answer);
  }
}

// Asks the model problems that it was not trained on.
void ask(const tl::Model& model, const Options& o) {
  constexpr int64_t kAtOnce = 50;
  const tl::cli::InterruptGuard guard("\nStopping after the next answer.\n");
  eval::QuestionSet set;
  std::vector<size_t> all;
  for (const problems::Problem& p : validation_problems(o)) {
    all.push_back(set.questions.size());
    set.questions.push_back({.kind = p.kind, .system = p.system, .text = p.question, .answer = p.answer});
  }
  tl::Session session(model, {.sequences = kAtOnce, .pool = tl::ThreadPool(o.training.threads)});
  std::vector<eval::Result> results;
  {
    tl::cli::ProgressBar bar("asking", std::ssize(all));
    eval::OnAnswers on;
    on.result = [&](eval::Result result) {
      results.push_back(std::move(result));
      bar.show(std::ssize(results), "validation problems");
    };
    on.pass = [](int64_t) { return tl::cli::interrupts == 0; };
    eval::ask(session, set, all, {.max_tokens = model.config.context}, on);
  }
  if (results.size() < all.size()) fmt::print(stderr, "stopped asking after {} problems\n", results.size());
  std::ranges::sort(results, {}, &eval::Result::question);
  if (!results.empty()) report(set, results);
}

int run(int argc, char** argv) {
  Options o;
  o.training.output = "tinyllm-model";
  o.training.save_seconds = 60;
  o.training.validate_every = 0;
  const char* description =
      "Trains a small language model on this machine and saves it as a folder that chat opens.\n"
      "Without --data: trains on made-up reasoning problems, then asks the model new ones.\n"
      "Started again with the same options, it resumes where it was stopped.";
  CLI::App first(description), second(description);
  const auto parse_with_defaults = [&](CLI::App& app) {
    const Preset preset = preset_of(o);
    o.training.recipe = preset.recipe;
    o.problems = preset.problems;
    o.count = preset.count;
    parse(o, app, argc, argv);
  };
  parse_with_defaults(first);
  const bool is_small = o.preset == "small";
  if (!is_small) parse_with_defaults(second);  // Again, with the defaults of that preset.
  const CLI::App& app = is_small ? first : second;
  Preset preset = preset_of(o);
  if (app.get_option("--warmup")->count() == 0) {
    o.training.recipe.warmup = std::min<int64_t>(o.training.recipe.warmup, o.training.recipe.steps / 10 + 1);
  }
  preset.model.context = std::max(preset.model.context, o.training.recipe.seq_len);
  if (o.vocab_size != 0) preset.model.vocab_size = o.vocab_size;
  const bool has_problems = o.data.empty();
  o.training.dependents = {
      {"--tokenizer", !has_problems, "without --data"}, {"--level", has_problems, "with --data"},
      {"--kinds", has_problems, "with --data"},         {"--language", has_problems, "with --data"},
      {"--problems", has_problems, "with --data"},      {"--vocab-size", o.tokenizer.empty(), "with --tokenizer"}};
  tl::cli::check_options(app, o.training, preset.model.context);
  tl::check(preset.model);
  tl::cli::settle_precision(o.training);
  preset.recipe = o.training.recipe;
  const auto lock = tl::cli::lock_output(o.training);
  Plan plan = has_problems          ? plan_for_problems(o, preset)
              : o.tokenizer.empty() ? plan_for_text(o, preset)
                                    : plan_for_tokens(o, preset);
  o.training.seen = std::move(plan.seen);
  tl::RunOptions options;
  options.lock = lock.get();
  options.prompts = tl::cli::text_prompts(o.training, *plan.model.tokenizer);
  const int code = tl::cli::train(plan.model, plan.stages, app, o.training, std::move(options));
  if (code != 0 || o.training.dry_run) return code;
  if (has_problems) ask(plan.model, o);
  fmt::print("talk to it: chat {}\n", o.training.output);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(argc, argv); });
}
