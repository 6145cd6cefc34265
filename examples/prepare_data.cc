// Makes one clean corpus from folders of raw text, with a report of what was dropped and why.
#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/corpus/prepare.h>

#include "common/interrupt.h"
#include "common/parse.h"
#include "common/progress_bar.h"

#include <algorithm>

namespace tl = tinyllm;

namespace {

struct Options {
  tl::corpus::PrepareOptions prepare;
  std::string words;
};

using tl::at_least;
using tl::fraction;

// An option that takes several of these words, separated by commas.
CLI::Option* add_words(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                       const std::vector<std::string>& known, const std::string& description) {
  return app.add_option(name, values, description)
      ->delimiter(',')
      ->check([known](const std::string& given) { return tl::cli::problem_with_choice(given, known); })
      ->type_name("NAME,NAME");
}

void add_paragraph_rules(CLI::App& app, tl::corpus::ParagraphOptions& p, std::string& words) {
  add_words(app, "--languages", p.languages, {"zh", "en", "ja", "ko", "european", "other", "all"},
            "Keep only paragraphs in these languages: zh, en, ja, ko, european, other, or all.")
      ->capture_default_str();
  tl::cli::add_number(app, "--min-letters", p.min_letters, at_least(0),
                      "Drop paragraphs with fewer letters and digits than N.");
  tl::cli::add_number(app, "--max-paragraph", p.max_characters, at_least(1),
                      "Cut paragraphs of more than N characters at the ends of sentences.");
  tl::cli::add_number(app, "--max-symbols", p.max_symbols, fraction(),
                      "Drop paragraphs in which more than this fraction is symbols, addresses and code.");
  tl::cli::add_number(app, "--max-repeated", p.max_repeated, fraction(),
                      "Drop paragraphs in which more than this fraction repeats what they said before.");
  tl::cli::add_number(app, "--max-undecodable", p.max_undecodable, fraction(),
                      "Drop paragraphs in which more than this fraction of the characters cannot be decoded.");
  app.add_flag("!--keep-mojibake", p.mojibake, "Keep text that was once decoded with the wrong encoding.");
  app.add_flag("!--keep-boilerplate", p.boilerplate, "Keep navigation, notices and advertisements.");
  app.add_option("--words", words, "Drop paragraphs that contain a word of this file, which has one word per line.")
      ->type_name("FILE");
}

void add_document_rules(CLI::App& app, tl::corpus::CleanOptions& o) {
  app.add_option("--fields", o.fields, "Take the text of JSON lines from these fields, joined by line feeds.")
      ->delimiter(',')
      ->type_name("NAME,NAME")
      ->capture_default_str();
  tl::cli::add_choice(
      app, "--width", o.width,
      "Keep full-width characters, fold full-width letters and digits to ASCII, or normalise all text (nfkc).");
  tl::cli::add_number(app, "--min-document", o.min_document, at_least(0),
                      "Drop documents of which fewer than N characters are left.");
  tl::cli::add_number(app, "--max-dropped", o.max_dropped, fraction(),
                      "Drop documents of which more than this fraction is symbols, repetition and boilerplate.");
}

void add_duplicates(CLI::App& app, tl::corpus::PrepareOptions& o) {
  app.add_flag("!--keep-duplicates", o.duplicates.exact, "Keep documents and paragraphs that occur again.");
  tl::cli::add_number(app, "--min-duplicate", o.duplicates.min_characters, at_least(0),
                      "Let paragraphs of fewer than N characters occur again.");
  tl::cli::add_choice(app, "--near-duplicates", o.clean.near,
                      "Drop documents or paragraphs that are almost equal to an earlier one, or none.");
  tl::cli::add_number(app, "--near-threshold", o.duplicates.near, tl::between(0.5, 1),
                      "Treat texts as almost equal from this similarity on: the Jaccard index of their sequences of "
                      "five letters.");
}

Options parse(int argc, char** argv) {
  Options options;
  tl::corpus::PrepareOptions& o = options.prepare;
  o.threads = tl::hardware_threads();
  std::vector<std::string> masked;
  CLI::App app(
      "Makes one clean text from all .txt, .md, .jsonl and .html files in folders, also compressed by gzip, xz or "
      "zstd. "
      "The text has a paragraph per line and a line with a form feed between documents. Files that cannot be read are "
      "named at the end and in the report; the others are still prepared.");
  app.add_option("-i,--input", o.inputs, "Read these folders and files.")->type_name("PATH")->required();
  app.add_option("-o,--output", o.output, "Write the corpus to this file.")->type_name("FILE")->required();
  app.add_option("--report", o.report,
                 "Write what was dropped and why to this JSON file, and a page for people next to it.")
      ->type_name("FILE")
      ->default_str("OUTPUT.report.json");
  app.add_option("--rejects", o.rejects, "Write everything that is dropped to this file as JSON lines.")
      ->type_name("FILE");
  add_document_rules(app, o.clean);
  add_paragraph_rules(app, o.clean.paragraphs, options.words);
  add_words(app, "--mask", masked, {"email", "phone", "id"},
            "Replace personal data of these kinds: email, phone, or id, the number of a Chinese identity card.");
  add_duplicates(app, o);
  tl::cli::add_threads(app, o.threads);
  tl::cli::add_examples(
      app,
      {"prepare_data --input raw --output corpus.txt",
       "prepare_data -i books -i chats.jsonl.xz -o corpus.txt --rejects dropped.jsonl --mask email,phone,id"},
      "train_tokenizer --input corpus.txt --output tokenizer");
  tl::cli::parse(app, argc, argv);
  const auto has = [&](const char* what) { return std::find(masked.begin(), masked.end(), what) != masked.end(); };
  o.clean.mask = {has("email"), has("phone"), has("id")};
  if (o.clean.paragraphs.languages == std::vector<std::string>{"all"}) o.clean.paragraphs.languages.clear();
  if (o.report.empty()) o.report = o.output.string() + ".report.json";
  return options;
}

std::vector<std::string> read_words(const std::string& path) {
  const std::string text = tl::read_file(path);
  tl::check_utf8(text, path);
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    std::string word = text.substr(begin, end - begin);
    if (word.ends_with('\r')) word.pop_back();
    if (!word.empty()) words.push_back(word);
    begin = end + 1;
  }
  return words;
}

double megabytes(int64_t bytes) { return static_cast<double>(bytes) / 1e6; }

void print(const tl::corpus::Report& report, const tl::corpus::PrepareOptions& o) {
  const auto line = [](std::string_view name, const tl::corpus::Report::Amount& a) {
    fmt::print("{:<26}{:>9} files{:>11} documents{:>12} paragraphs{:>11.1f} MB\n", name, a.files, a.documents,
               a.paragraphs, megabytes(a.bytes));
  };
  line("read", report.read);
  line("kept", report.kept);
  for (const auto& [name, rule] : report.rules) {
    fmt::print("  {:<24}{:>9} dropped{:>46.1f} MB\n", name, rule.pieces, megabytes(rule.bytes));
  }
  for (const auto& [kind, count] : report.changed) fmt::print("  {:<24} {:>8} removed or changed\n", kind, count);
  fmt::print("saved {}, {}\n", o.output.string(), o.report.string());
}

void print_unread(const std::vector<tl::corpus::Report::Unread>& files) {
  constexpr size_t kShown = 20;
  if (files.empty()) return;
  fmt::print(stderr, "prepare_data: {} could not be read, or not to the end:\n",
             tl::counted(static_cast<int64_t>(files.size()), "file"));
  for (size_t i = 0; i < std::min(files.size(), kShown); ++i) {
    // The reason already names the file if it is a read error.
    const bool is_named = files[i].why.starts_with(files[i].name);
    fmt::print(stderr, "  {}{}{}\n", is_named ? "" : files[i].name, is_named ? "" : ": ", files[i].why);
  }
  if (files.size() > kShown) fmt::print(stderr, "  and {} more, which the report names\n", files.size() - kShown);
}

int prepare(Options options) {
  tl::corpus::PrepareOptions& o = options.prepare;
  if (!options.words.empty()) o.clean.paragraphs.words = read_words(options.words);
  const tl::cli::InterruptGuard guard;
  const tl::Clock::time_point start = tl::Clock::now();
  std::optional<tl::cli::ProgressBar> bar;
  const tl::corpus::Report report = tl::corpus::prepare_corpus(o, [&](const tl::Progress& p) {
    if (!bar) bar.emplace("MB", p.total / 1'000'000 + 1);
    const double seconds = tl::seconds_since(start);
    const double speed = megabytes(p.done) / std::max(seconds, 1e-3);
    bar->show(p.done / 1'000'000 + (p.done == p.total ? 1 : 0),
              fmt::format("{:.1f} MB/s, {:.1f} MB kept, {} left", speed, megabytes(p.made),
                          tl::cli::clock_time(megabytes(p.total - p.done) / std::max(speed, 1e-3))));
    return tl::cli::interrupts == 0;
  });
  bar.reset();
  print(report, o);
  print_unread(report.unread);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return prepare(parse(argc, argv)); });
}
