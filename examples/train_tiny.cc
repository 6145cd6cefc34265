// From text to a model that answers: made-up problems of arithmetic and everyday reasoning, or a text of one's own.
#include <tinyllm/model/transformer.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/data/text_dataset.h>
#include <tinyllm/train/monitor/dashboard.h>
#include <tinyllm/train/tasks/reasoning.h>
#include "common/progress_bar.h"
#include "common/run_display.h"

#include "common/interrupt.h"
#include "common/parse.h"

#include <cmath>
#include <cstdio>
#include <map>

namespace tl = tinyllm;

namespace {

// What a preset chooses; options change single fields.
struct Preset {
  tl::ModelConfig model;
  tl::Recipe recipe;
};

Preset small(int64_t vocab_size) {
  Preset p;
  p.model = {
      .vocab_size = vocab_size, .dim = 128, .n_layers = 4, .n_heads = 4, .ffn_dim = 512, .context = 256, .dropout = 0};
  p.recipe = {.rows = 4, .length = 256, .steps = 8400, .rate = 2.5e-3f, .final_rate = 0.02f};
  return p;
}

Preset full_size() {
  Preset p;
  p.recipe = {.rows = 8, .length = 256, .steps = 2000, .rate = 6e-4f};
  return p;
}

struct Options {
  std::string corpus, tokenizer;
  std::string output = "tinyllm-model";
  std::string preset = "small";
  int threads = tl::hardware_threads();
  int64_t steps = 0, rows = 0, length = 0, vocab = 0;
  int64_t accumulate = 1;
  bool recompute = false;
  float rate = 0;
  uint64_t seed = 1;
  std::string precision = "fp32";
  std::string optimizer = "adamw";
  int dashboard = -1;  // The port; none where negative.
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Trains a small language model on this machine and saves it as a folder that examples/chat opens.\n"
      "Without --corpus: pretrains and fine-tunes on made-up reasoning problems, then asks it new ones.\n"
      "Started again with the same options, it goes on where it was stopped.");
  CLI::Option* corpus = app.add_option("--corpus", o.corpus,
                                       "Pretrain on this UTF-8 text instead, and report perplexity on a held-out part");
  app.add_option("--tokenizer", o.tokenizer,
                 "The tokenizer, or its folder, of a corpus that is a file of tokens (see tokenize)")
      ->needs(corpus);
  app.add_option("--output", o.output, "The model folder; a finished model in it is replaced")->capture_default_str();
  app.add_option("--preset", o.preset, "Size of the model: small (1 M parameters) or default (41.6 M)")
      ->check(CLI::IsMember({"small", "default"}))
      ->capture_default_str();
  app.add_option("--steps", o.steps,
                 "Training steps; with built-in data a third of them pretrains, the others fine-tune")
      ->check(CLI::PositiveNumber);
  app.add_option("--batch", o.rows, "Rows that are computed at once")->check(CLI::PositiveNumber);
  app.add_option("--accumulate", o.accumulate, "Batches in a step: as one so many times as large, without its memory")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--recompute", o.recompute, "Compute more, to need less memory; the result is the same");
  app.add_option("--precision", o.precision, "Of matrix products: fp32, or bf16 where the CPU has AVX512-BF16")
      ->check(CLI::IsMember({"fp32", "bf16"}))
      ->capture_default_str();
  app.add_option("--optimizer", o.optimizer,
                 "adamw, or muon for hidden matrices: slower steps, of which fewer are needed")
      ->check(CLI::IsMember({"adamw", "muon"}))
      ->capture_default_str();
  app.add_option("--dashboard", o.dashboard, "Show the run in a browser, on this port of this machine (0: a free one)")
      ->check(CLI::Range(0, 65535));
  app.add_option("--length", o.length, "Tokens in a row")->check(CLI::PositiveNumber);
  app.add_option("--rate", o.rate, "Highest learning rate")->check(CLI::PositiveNumber);
  app.add_option("--vocab", o.vocab, "Tokens of the vocabulary")->check(CLI::PositiveNumber);
  app.add_option("--seed", o.seed, "Of data, weights and order: same seed, same model")->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  app.footer("Sizes that are not given come from the preset.");
  tl::cli::parse(app, argc, argv);
  return o;
}

Preset chosen(const Options& o) {
  Preset p = o.preset == "small" ? small(o.corpus.empty() ? 640 : 4000) : full_size();
  if (o.vocab != 0) p.model.vocab_size = o.vocab;
  if (o.rows != 0) p.recipe.rows = o.rows;
  if (o.length != 0) p.recipe.length = o.length;
  p.recipe.accumulate = o.accumulate;
  p.recipe.recompute = o.recompute;
  if (o.steps != 0) p.recipe.steps = o.steps;
  if (o.rate != 0) p.recipe.rate = o.rate;
  p.model.context = std::max(p.model.context, p.recipe.length);
  p.recipe.warmup = std::min<int64_t>(p.recipe.warmup, p.recipe.steps / 10 + 1);
  p.recipe.seed = o.seed;
  if (o.optimizer == "muon") p.recipe.optimizer = tl::Optimizer::muon;
  if (o.precision == "bf16" && tl::is_supported(tl::Precision::bf16)) p.recipe.precision = tl::Precision::bf16;
  return p;
}

tl::Model make_model(Preset& preset, const Options& o, tl::Tokenizer tokenizer) {
  preset.model.vocab_size = tokenizer.size();
  tl::Model model{preset.model, std::move(tokenizer)};
  tl::init_weights(tl::weight_specs(model.config), o.seed, *model.weights);
  return model;
}

tl::Model make_model(Preset& preset, const Options& o, const std::vector<std::string>& texts) {
  fmt::print(stderr, "learning a vocabulary of up to {} tokens\n", preset.model.vocab_size);
  return make_model(preset, o, tl::Tokenizer::train(texts, {preset.model.vocab_size}));
}

using Rows = std::shared_ptr<const tl::Dataset>;

Rows text_rows(const tl::Tokenizer& tokenizer, const std::vector<std::string>& texts, int64_t length) {
  std::vector<std::vector<int32_t>> encoded;
  for (const std::string& text : texts) encoded.push_back(tokenizer.encode(text));
  return std::make_shared<tl::Dataset>(tl::Dataset::of_texts(encoded, length));
}

Rows chat_rows(const tl::Tokenizer& tokenizer, const std::vector<tl::Problem>& problems, int64_t length) {
  return std::make_shared<tl::Dataset>(
      tl::Dataset::of_samples(tl::chat_samples(tokenizer, tl::as_conversations(problems)), length));
}

void describe(const tl::Dataset& data, const char* name) {
  const tl::PackReport& r = data.report();
  fmt::print("{}: {} texts, {} tokens, {} learned, {} rows of {}, {} cut short\n", name, r.samples, r.tokens,
             r.learned_tokens, r.rows, data.length(), r.truncated);
}

// Runs the stages, showing how they go. False when interrupted.
bool train(tl::Model& model, const std::vector<tl::Stage>& stages, const Options& o, tl::ThreadPool& pool) {
  tl::RunOptions run;
  run.folder = o.output;
  run.should_stop = [] { return tl::cli::interrupts > 0; };
  const tl::cli::RunDisplay display(run);
  std::optional<tl::Dashboard> dashboard;
  if (o.dashboard >= 0) {
    dashboard.emplace(o.dashboard, run.folder / tl::kMetricsFile);
    fmt::print(stderr, "the run in a browser: http://127.0.0.1:{}\n", dashboard->port());
  }
  if (tl::has_checkpoint(run.folder)) fmt::print(stderr, "{}: going on where it was stopped\n", o.output);
  return tl::run_stages(model, stages, pool, run);
}

int stopped(const Options& o) {
  fmt::print(stderr, "\nstopped; {} is saved and the same command goes on from there\n", o.output);
  return 1;
}

void introduce(const tl::Model& model, const Preset& preset, const Options& o) {
  if (tl::name_of(preset.recipe.precision) != o.precision) {
    fmt::print(stderr, "{} asks for a CPU with AVX512-BF16 and its kernels: computing in fp32\n", o.precision);
  }
  fmt::print("model: {:.2f} M parameters, {} tokens, {} layers of {}; {} threads, {} products, {}\n",
             static_cast<double>(tl::parameter_count(model.config)) / 1e6, model.config.vocab_size,
             model.config.n_layers, model.config.dim, o.threads, tl::name_of(preset.recipe.precision),
             tl::cpu_features());
}

// ---- A text of one's own --------------------------------------------------------------------------------------------

int train_on_corpus(const Options& o, tl::ThreadPool& pool) {
  Preset preset = chosen(o);
  const std::string text = tl::read_file(o.corpus);
  tl::check_utf8(text, o.corpus);
  const tl::TextSplit split = tl::split_text(text);
  tl::Model model = make_model(preset, o, split.train);
  introduce(model, preset, o);
  const tl::Tokenizer& tokenizer = model.tokenizer;
  const auto train_rows = text_rows(tokenizer, split.train, preset.recipe.length);
  const auto held_out_rows = text_rows(tokenizer, split.held_out, preset.recipe.length);
  describe(*train_rows, "corpus");
  describe(*held_out_rows, "held out");
  const std::vector<tl::Stage> stages = {{"pretrain", train_rows, held_out_rows, preset.recipe}};
  if (!train(model, stages, o, pool)) return stopped(o);
  fmt::print("saved {}\n", o.output);
  return 0;
}

// A file of tokens, as examples/tokenize makes it.
int train_on_tokens(const Options& o, tl::ThreadPool& pool) {
  Preset preset = chosen(o);
  tl::Model model = make_model(preset, o, tl::Tokenizer::load(o.tokenizer));
  introduce(model, preset, o);
  const auto file = std::make_shared<const tl::TokenFile>(o.corpus, model.tokenizer);
  file->verify();
  const auto part = [&](tl::TextPart which) {
    return std::make_shared<const tl::TextDataset>(file,
                                                   tl::TextOptions{.length = preset.recipe.length, .part = which});
  };
  const auto train_rows = part(tl::TextPart::train);
  const auto held_out_rows = part(tl::TextPart::held_out);
  fmt::print("{}: {} documents; {} tokens to learn from, {} held out\n", o.corpus, file->documents(),
             train_rows->tokens(), held_out_rows->tokens());
  if (!train(model, {{"pretrain", train_rows, held_out_rows, preset.recipe}}, o, pool)) return stopped(o);
  fmt::print("saved {}\n", o.output);
  return 0;
}

// ---- Built-in problems ----------------------------------------------------------------------------------------------

void report(const std::vector<tl::Answered>& answers) {
  std::map<std::string, std::pair<int, int>> kinds;
  int right = 0;
  for (const tl::Answered& a : answers) {
    auto& [good, all] = kinds[a.problem.kind];
    good += a.is_right;
    ++all;
    right += a.is_right;
  }
  fmt::print("\nheld-out problems, greedy, exact match: {}/{} = {:.1f} %\n", right, answers.size(),
             100.0 * right / static_cast<double>(answers.size()));
  for (const auto& [kind, counts] : kinds) fmt::print("  {}: {}/{}\n", kind, counts.first, counts.second);
  fmt::print("\nfive of them:\n");
  for (size_t i = 0; i < 5 && i < answers.size(); ++i) {
    const tl::Answered& a = answers[i];
    fmt::print("\n  问 {}\n  想 {}\n  答 {}  [{}]\n", a.problem.question, a.said.cot, a.said.final,
               a.is_right ? "right" : "wrong: " + a.problem.final);
  }
}

int train_on_problems(const Options& o, tl::ThreadPool& pool) {
  constexpr int64_t kProblems = 80000;
  constexpr uint64_t kPractice = 40000;
  constexpr int64_t kHeldOut = 500;
  constexpr int64_t kAtOnce = 50;  // Problems.
  Preset preset = chosen(o);
  const std::vector<tl::Problem> problems = tl::make_problems(o.seed, kProblems, tl::Split::train);
  const std::vector<tl::Problem> held_out = tl::make_problems(o.seed, kHeldOut, tl::Split::held_out);
  std::vector<std::string> texts, held_out_texts;
  for (const tl::Problem& p : problems) texts.push_back(tl::as_text(p));
  for (uint64_t i = 0; i < kPractice; ++i) texts.push_back(tl::practice(o.seed, i));
  for (const tl::Problem& p : held_out) held_out_texts.push_back(tl::as_text(p));

  std::vector<std::string> tokenizer_texts(texts.begin(), texts.begin() + 10000);
  for (int i = 0; i < 10000; ++i)
    tokenizer_texts.push_back(tl::reasoning("", "") + problems[0].system + problems[static_cast<size_t>(i)].system);
  tl::Model model = make_model(preset, o, tokenizer_texts);
  introduce(model, preset, o);
  const int64_t length = preset.recipe.length;
  const tl::Tokenizer& tokenizer = model.tokenizer;
  tl::Recipe pretrain = preset.recipe, fine_tune = preset.recipe;
  pretrain.steps = preset.recipe.steps / 3;
  fine_tune.steps = preset.recipe.steps - pretrain.steps;
  const Rows practice = text_rows(tokenizer, texts, length);
  const Rows chats = chat_rows(tokenizer, problems, length);
  describe(*practice, "pretrain");
  describe(*chats, "fine-tune");
  const std::vector<tl::Stage> stages = {{"pretrain", practice, text_rows(tokenizer, held_out_texts, length), pretrain},
                                         {"fine-tune", chats, chat_rows(tokenizer, held_out, length), fine_tune}};
  if (!train(model, stages, o, pool)) return stopped(o);

  tl::Session session(model, {.sequences = kAtOnce, .threads = o.threads});
  std::vector<tl::Answered> answers;
  {
    tl::cli::ProgressBar bar("asking", kHeldOut);
    answers = tl::answer(session, held_out, [&](size_t done) {
      bar.show(static_cast<int64_t>(done), "held-out problems");
      return tl::cli::interrupts == 0;
    });
  }
  if (answers.size() < held_out.size()) fmt::print(stderr, "stopped asking after {} problems\n", answers.size());
  report(answers);
  fmt::print("\nsaved {}; talk to it: chat {}\n", o.output, o.output);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // On a pipe, results and progress in the order in which they happen.
  try {
    const tl::cli::InterruptGuard guard;
    tl::make_folder(options.output);
    tl::ThreadPool pool(options.threads);
    if (options.corpus.empty()) return train_on_problems(options, pool);
    return options.tokenizer.empty() ? train_on_corpus(options, pool) : train_on_tokens(options, pool);
  } catch (const std::exception& error) {
    fmt::print(stderr, "train_tiny: {}\n", error.what());
    return 1;
  }
}
