// From folders of raw text to one clean corpus, with a report of what was dropped and why.
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/base/utf8.h>
#include <tinyllm/train/corpus/prepare.h>
#include "common/progress_bar.h"

#include "common/interrupt.h"
#include "common/parse.h"

#include <algorithm>
#include <chrono>

namespace tl = tinyllm;

namespace {

struct Options {
  tl::PrepareOptions prepare;
  std::string words;
};

void add_rules(CLI::App& app, tl::CleanOptions& o, std::string& words) {
  const CLI::Range share(0.0, 1.0);
  tl::ParagraphOptions& p = o.paragraphs;
  app.add_option("--fields", o.fields, "Fields of JSON lines that hold text")->delimiter(',')->capture_default_str();
  tl::cli::add_choice(app, "--width", o.width,
                      {{"keep", tl::Width::kKeep}, {"fold", tl::Width::kFold}, {"nfkc", tl::Width::kNfkc}},
                      "Characters of full width: keep; fold letters and digits; nfkc folds all");
  app.add_option("--languages", p.languages, "Kept: zh, en, ja, ko, european, other, or all")
      ->delimiter(',')
      ->capture_default_str();
  app.add_option("--min-letters", p.min_letters, "Fewest letters and digits of a paragraph")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--max-paragraph", p.max_characters, "Most characters of a paragraph")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--split-long", o.split_long, "Cut a longer one at ends of sentences, and do not drop it");
  app.add_option("--max-symbols", p.max_symbols, "Largest share of symbols, addresses and code")
      ->check(share)
      ->capture_default_str();
  app.add_option("--max-repeated", p.max_repeated, "Largest share of what has come before in a paragraph")
      ->check(share)
      ->capture_default_str();
  app.add_option("--max-undecodable", p.max_undecodable, "Largest share of characters that cannot be decoded")
      ->check(share)
      ->capture_default_str();
  app.add_flag("!--keep-mojibake", p.mojibake, "Keep text that was decoded in a wrong way");
  app.add_flag("!--keep-boilerplate", p.boilerplate, "Keep navigation, notices and advertisement");
  app.add_option("--words", words, "A file of words, one a line: paragraphs with one of them are dropped");
  app.add_option("--min-document", o.min_document, "Fewest characters left of a document")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--max-dropped", o.max_dropped,
                 "Drop a document of which a larger share is symbols, repetition, notices")
      ->check(share)
      ->capture_default_str();
}

void add_duplicates(CLI::App& app, tl::PrepareOptions& o) {
  app.add_flag("!--keep-duplicates", o.duplicates.exact, "Keep documents and paragraphs that come again");
  app.add_option("--min-duplicate", o.duplicates.min_characters,
                 "Fewest characters of a paragraph that may not come again")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  tl::cli::add_choice(app, "--near-duplicates", o.clean.near,
                      {{"none", tl::NearUnit::kNone},
                       {"documents", tl::NearUnit::kDocuments},
                       {"paragraphs", tl::NearUnit::kParagraphs}},
                      "What is compared up to small differences: none, documents, paragraphs");
  app.add_option("--near-threshold", o.duplicates.near, "The similarity from which on it is dropped")
      ->check(CLI::Range(0.5, 1.0))
      ->capture_default_str();
}

Options parse(int argc, char** argv) {
  Options options;
  tl::PrepareOptions& o = options.prepare;
  o.threads = tl::hardware_threads();
  std::vector<std::string> masked;
  CLI::App app(
      "Reads all .txt, .md, .jsonl and .html in folders, compressed by gzip, xz or zstd too, and writes one clean "
      "text: "
      "a paragraph a line, a line with a form feed between documents.");
  app.add_option("--input", o.inputs, "Folders and files")->required();
  app.add_option("--output", o.output, "The corpus")->required();
  app.add_option("--report", o.report,
                 "What was dropped and why, as JSON; a page with bars goes beside it (default: "
                 "beside the corpus, .report.json)");
  app.add_option("--rejects", o.rejects, "Keep what is dropped, as JSON lines; markup is only counted");
  add_rules(app, o.clean, options.words);
  app.add_option("--mask", masked, "What of persons to mask: email, phone, id")
      ->delimiter(',')
      ->check(CLI::IsMember({"email", "phone", "id"}));
  add_duplicates(app, o);
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
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

void print(const tl::Report& report, const tl::PrepareOptions& o) {
  const auto line = [](std::string_view name, const tl::Report::Amount& a) {
    fmt::print("{:<26}{:>9} files{:>11} documents{:>12} paragraphs{:>11.1f} MB\n", name, a.files, a.documents,
               a.paragraphs, megabytes(a.bytes));
  };
  line("read", report.read);
  line("kept", report.kept);
  for (const auto& [name, rule] : report.rules) {
    fmt::print("  {:<24}{:>9} dropped{:>46.1f} MB\n", name, rule.pieces, megabytes(rule.bytes));
  }
  for (const auto& [kind, count] : report.changed) fmt::print("  {:<24} {:>8} left out or changed\n", kind, count);
  fmt::print("saved {}, {}\n", o.output.string(), o.report.string());
}

int prepare(Options options) {
  tl::PrepareOptions& o = options.prepare;
  if (!options.words.empty()) o.clean.paragraphs.words = read_words(options.words);
  const tl::cli::InterruptGuard guard;
  const auto start = std::chrono::steady_clock::now();
  std::optional<tl::cli::ProgressBar> bar;
  const tl::Report report = tl::prepare_corpus(o, [&](const tl::PrepareProgress& p) {
    if (!bar) bar.emplace("MB", p.total / 1'000'000 + 1);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const double speed = megabytes(p.read) / std::max(seconds, 1e-3);
    bar->show(p.read / 1'000'000 + (p.read == p.total ? 1 : 0),
              fmt::format("{:.1f} MB/s, {:.1f} MB kept, {} left", speed, megabytes(p.kept),
                          tl::cli::clock_time(megabytes(p.total - p.read) / std::max(speed, 1e-3))));
    return tl::cli::interrupts == 0;
  });
  bar.reset();
  print(report, o);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return prepare(parse(argc, argv)); });
}
