// Shows what files of samples contain: their form, bad lines and, given a tokenizer, what a model will see and learn.
#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/train/data/packed_dataset.h>
#include <tinyllm/train/data/samples.h>

#include "common/output.h"
#include "common/parse.h"
#include "common/progress_bar.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

namespace tl = tinyllm;

namespace {

struct Options {
  std::vector<std::string> files;
  std::string model, tokenizer;
  int64_t length = 512;
  int64_t count = 3;
  bool strict = false;
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Shows what files of samples contain: their form, bad lines with the reason, and fields that are ignored; with a "
      "model or a tokenizer also how long the samples are, how they pack into rows, and what a model learns of them. "
      "Samples are "
      "JSON lines: chats, reasoning, prompt and completion, Alpaca, ShareGPT, messages, preferences, multiple choice. "
      "The exit code is 1 when a file has no samples.");
  app.add_option("-i,--input,input", o.files, "Read these files of JSON lines.")->type_name("FILE")->required();
  auto* model = app.add_option("-m,--model", o.model, "Use the tokenizer and the chat template of this model.");
  model->type_name("MODEL");
  app.add_option("--tokenizer", o.tokenizer,
                 "Use this tokenizer, a tokenizer.model or a model folder, with the chat template of models that are "
                 "trained here.")
      ->type_name("FILE")
      ->excludes(model);
  tl::cli::add_number(
      app, "--seq-len", o.length, tl::between(1, 1'000'000),
      "With a model or a tokenizer, pack samples into rows of N tokens, to show how much padding that needs.");
  tl::cli::add_number(app, "--count", o.count, tl::at_least(0),
                      "With a model or a tokenizer, print the first N samples of each file.");
  app.add_flag("--strict", o.strict, "Stop at the first bad line instead of skipping it.");
  tl::cli::add_examples(
      app,
      {"show_samples chats.jsonl", "show_samples -i chats.jsonl reasoning.jsonl --model base --seq-len 1024 --count 1"},
      "finetune --model base --data chats.jsonl --output my-model");
  tl::cli::parse(app, argc, argv);
  std::vector<std::string> wrong;
  for (const char* option : {"--seq-len", "--count"}) {
    if (app.count(option) > 0 && o.model.empty() && o.tokenizer.empty()) {
      wrong.push_back(fmt::format("{}: has no effect without --model or --tokenizer", option));
    }
  }
  if (!wrong.empty()) throw tl::cli::UsageError("{}", fmt::join(wrong, "\n"));
  return o;
}

// The question with its options. The right option is marked as learned.
std::vector<tl::Piece> question(const tl::Choice& choice) {
  std::vector<tl::Piece> pieces = {{choice.question, false, false}};
  for (size_t i = 0; i < choice.options.size(); ++i) {
    pieces.push_back({"\n", false, false});
    pieces.push_back({fmt::format("{}. {}", static_cast<char>('A' + i), choice.options[i]), false, i == choice.answer});
  }
  return pieces;
}

// A preference makes two samples: the prompt with the chosen answer, and with the rejected one.
void add_tokens(const tl::ModelText& text, const tl::AnySample& sample, std::vector<tl::Sample>& to) {
  const auto add = [&](const tl::Messages& messages) {
    to.push_back(tl::tokenize(*text.tokenizer, text.chat_template->render(messages, {})));
  };
  if (const auto* choice = std::get_if<tl::Choice>(&sample)) {
    to.push_back(tl::tokenize(*text.tokenizer, question(*choice)));
  } else if (const auto* preference = std::get_if<tl::Preference>(&sample)) {
    for (const std::string& answer : {preference->chosen, preference->rejected}) {
      tl::Messages messages = preference->prompt;
      messages.push_back({tl::Role::assistant, answer});
      add(messages);
    }
  } else {
    add(std::get<tl::Messages>(sample));
  }
}

// Tokens from `begin` to `end` as text, special tokens spelled.
std::string spelled(const tl::Tokenizer& tokenizer, const tl::Sample& sample, size_t begin, size_t end) {
  std::string text;
  for (size_t i = begin; i < end; ++i) text += tokenizer.piece(sample.tokens[i]);
  return tl::cli::printable(text);
}

// The sample as text. Learned parts are green or, without colour, between [[ and ]].
std::string marked(const tl::Tokenizer& tokenizer, const tl::Sample& sample) {
  const char* no_color = std::getenv("NO_COLOR");
  const bool is_colored = isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
  std::string text;
  for (size_t from = 0; from < sample.tokens.size();) {
    size_t to = from;
    while (to < sample.tokens.size() && sample.learned[to] == sample.learned[from]) ++to;
    const std::string part = spelled(tokenizer, sample, from, to);
    if (sample.learned[from]) {
      text += is_colored ? "\x1b[32m" + part + "\x1b[0m" : "[[" + part + "]]";
    } else {
      text += part;
    }
    from = to;
  }
  return text;
}

// A file's samples as tokens, and what was found in its lines.
struct File {
  tl::SampleCounts counts;
  int64_t inexpressible = 0;                              // Samples that the chat template cannot express.
  std::vector<std::pair<int64_t, std::string>> problems;  // The first few.
  std::vector<tl::Sample> samples;
};

File read(const std::string& path, const tl::ModelText* text, bool strict) {
  constexpr size_t kShown = 5;
  File file;
  const auto note = [&](int64_t line, const std::string& problem) {
    if (file.problems.size() < kShown) file.problems.emplace_back(line, problem);
  };
  tl::SampleOptions options;
  if (!strict) options.on_bad = note;
  tl::SampleReader reader(path, options);
  std::error_code not_regular;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path, not_regular));
  std::optional<tl::cli::ProgressBar> bar;
  if (!not_regular) bar.emplace("bytes", size);
  while (const std::optional<tl::AnySample> sample = reader.next()) {
    if (text == nullptr) continue;
    try {
      add_tokens(*text, *sample, file.samples);
    } catch (const tl::Error& error) {
      if (strict) throw tl::Error("{}: line {}: {}", path, reader.counts().lines, error.what());
      ++file.inexpressible;
      note(reader.counts().lines, error.what());
    }
    if (bar) bar->show(reader.counts().bytes, fmt::format("{} samples", reader.counts().samples));
  }
  file.counts = reader.counts();
  return file;
}

void print_counts(const std::string& path, const File& file) {
  const tl::SampleCounts& c = file.counts;
  fmt::print("{}: {}, {}, {} of {}\n", path, c.form ? tl::text_of(*c.form) : "no form",
             tl::counted(c.samples, "sample"), tl::counted(c.bad, "bad line"), c.lines);
  if (file.inexpressible > 0) {
    fmt::print("  {} that the chat template cannot express\n", tl::counted(file.inexpressible, "sample"));
  }
  if (!c.ignored.empty()) fmt::print("  ignored fields: {}\n", tl::ignored_fields(c));
  for (const auto& [line, problem] : file.problems) fmt::print("  line {}: {}\n", line, problem);
  const auto more = c.bad + file.inexpressible - std::ssize(file.problems);
  if (more > 0) fmt::print("  and {} more\n", more);
}

void print_lengths(const std::vector<tl::Sample>& samples) {
  std::vector<size_t> lengths;
  for (const tl::Sample& sample : samples) lengths.push_back(sample.tokens.size());
  std::sort(lengths.begin(), lengths.end());
  const auto percentile = [&](size_t percent) { return lengths[(lengths.size() - 1) * percent / 100]; };
  fmt::print("  tokens: half have up to {}, 90% {}, 99% {}, all {}\n", percentile(50), percentile(90), percentile(99),
             percentile(100));
}

void print_packing(const std::vector<tl::Sample>& samples, int64_t length) {
  const tl::PackReport r = tl::Dataset::of_samples(samples, length).report();
  fmt::print("  rows of {}: {} samples truncated, {} with nothing learned dropped, {} tokens lost\n", length,
             r.truncated, r.dropped, r.lost_tokens);
  if (r.rows == 0) return;
  const double alone = 1 - static_cast<double>(r.tokens) / static_cast<double>(length * (r.samples - r.dropped));
  fmt::print("  packed: {} rows, {} tokens, {} learned, {:.1f}% padding (one sample a row: {:.1f}%)\n", r.rows,
             r.tokens, r.learned_tokens, 100 * r.padding(), 100 * alone);
}

// How samples become tokens.
std::optional<tl::ModelText> load_text(const Options& o) {
  if (!o.model.empty()) return tl::load_text(o.model);
  if (!o.tokenizer.empty()) return tl::ModelText{tl::load_tokenizer(o.tokenizer), tl::default_chat_template()};
  return std::nullopt;
}

int show(const Options& o) {
  const std::optional<tl::ModelText> text = load_text(o);
  bool all_hold_samples = true;
  for (const std::string& path : o.files) {
    const File file = read(path, text ? &*text : nullptr, o.strict);
    print_counts(path, file);
    if (file.counts.samples == 0) {
      all_hold_samples = false;
      fmt::print(stderr, "show_samples: {}: has no samples\n", path);
    }
    if (file.samples.empty()) continue;
    print_lengths(file.samples);
    if (file.counts.form != tl::SampleForm::choice) print_packing(file.samples, o.length);
    const auto shown = std::min(file.samples.size(), static_cast<size_t>(o.count));
    for (size_t i = 0; i < shown; ++i) fmt::print("--- {}\n{}\n", i + 1, marked(*text->tokenizer, file.samples[i]));
  }
  return all_hold_samples ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return show(parse(argc, argv)); });
}
