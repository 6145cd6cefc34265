// Encodes a corpus as a file of tokens, which training maps into memory.
#include <tinyllm/tensor/base/clock.h>
#include <tinyllm/tensor/base/error.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/train/data/tokenize.h>

#include "common/interrupt.h"
#include "common/parse.h"
#include "common/progress_bar.h"

#include <algorithm>
#include <optional>

namespace tl = tinyllm;

namespace {

struct Options {
  std::filesystem::path tokenizer;
  std::vector<std::filesystem::path> inputs;
  std::filesystem::path output;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Encodes UTF-8 texts once, as a file of tokens that models learn from. Documents are separated by a line that "
      "holds only a form feed, as prepare_data writes it. A text without such a line is one document.");
  app.add_option("--tokenizer", o.tokenizer, "Encode with this tokenizer: a tokenizer.model or a model folder.")
      ->type_name("FILE")
      ->required();
  app.add_option("-i,--input", o.inputs, "Encode these texts.")->type_name("FILE")->required();
  app.add_option("-o,--output", o.output, "Write the tokens to this file, usually NAME.tokens.")
      ->type_name("FILE")
      ->required();
  tl::cli::add_threads(app, o.threads);
  tl::cli::add_examples(app,
                        {"tokenize --tokenizer vocabulary --input corpus.txt --output corpus.tokens",
                         "tokenize --tokenizer my-model -i first.txt second.txt -o both.tokens -t 4"},
                        "pretrain --data corpus.tokens --tokenizer vocabulary --output my-model");
  tl::cli::parse(app, argc, argv);
  return o;
}

double megabytes(int64_t bytes) { return static_cast<double>(bytes) / 1e6; }

int tokenize(const Options& o) {
  const std::unique_ptr<tl::Tokenizer> tokenizer = tl::load_tokenizer(o.tokenizer);
  const tl::cli::InterruptGuard guard;
  const tl::Clock::time_point start = tl::Clock::now();
  const auto speed = [&](int64_t bytes) { return megabytes(bytes) / std::max(tl::seconds_since(start), 1e-3); };
  std::optional<tl::cli::ProgressBar> bar;
  const tl::TokenizeCounts done = tl::tokenize(o.inputs, *tokenizer, o.output, o.threads, [&](const tl::Progress& p) {
    if (p.total < 1'000'000) return tl::cli::interrupts == 0;  // Too short for a progress bar.
    if (!bar) bar.emplace("MB", p.total / 1'000'000);
    const double rate = speed(p.done);
    bar->show(p.done / 1'000'000,
              fmt::format("{:.1f} MB/s, {:.1f} M tokens, {} left", rate, static_cast<double>(p.made) / 1e6,
                          tl::cli::clock_time(megabytes(p.total - p.done) / std::max(rate, 1e-3))));
    return tl::cli::interrupts == 0;
  });
  bar.reset();
  const auto tokens = static_cast<double>(done.tokens);
  fmt::print("{}, {}, {:.3f} characters and {:.3f} bytes in a token; {:.1f} MB at {:.1f} MB/s\n",
             tl::counted(done.documents, "document"), tl::counted(done.tokens, "token"),
             static_cast<double>(done.characters) / tokens, static_cast<double>(done.bytes) / tokens,
             megabytes(done.bytes), speed(done.bytes));
  fmt::print("saved {}\n", o.output.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return tokenize(parse(argc, argv)); });
}
