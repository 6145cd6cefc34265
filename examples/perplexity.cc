// How well model folders tell the next tokens of a text: what quantising or fine-tuning has cost them.
#include <tinyllm/train/data/text_dataset.h>
#include <tinyllm/train/eval/evaluator.h>

#include "common/parse.h"

namespace tl = tinyllm;

namespace {

struct Options {
  std::vector<std::string> models;
  std::string corpus;
  int64_t held_out_every = 100;
  int64_t tokens = 32768;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Measures the perplexity of models on a file of tokens (see tokenize), each also as a difference to the first "
      "one's.");
  app.add_option("models", o.models, "Model folders of the tokenizer that made the file")->required();
  app.add_option("--corpus", o.corpus, "The file of tokens")->required();
  app.add_option("--held-out-every", o.held_out_every,
                 "Measure on the documents that pretrain holds out with this option; 0: on all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--tokens", o.tokens, "About how many, from all over the text")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  tl::cli::parse(app, argc, argv);
  return o;
}

void measure(const Options& o) {
  constexpr int64_t kRows = 8;  // That are computed at once.
  tl::ThreadPool pool(o.threads);
  double first = 0;
  for (const std::string& folder : o.models) {
    const tl::Model model = tl::load_model(folder);
    const auto file = std::make_shared<const tl::TokenFile>(o.corpus, model.tokenizer);
    tl::TextOptions options{.length = model.config.context};
    if (o.held_out_every == 0) {
      options.part = tl::TextPart::all;
    } else {
      options.part = tl::TextPart::validation;
      options.validation_every = o.held_out_every;
    }
    const int64_t rows = std::max(kRows, o.tokens / options.length);
    const tl::Evaluation result =
        tl::Evaluator(model, kRows, options.length, pool).evaluate(tl::TextDataset(file, options), rows);
    if (first == 0) first = result.perplexity();
    fmt::print("{}: perplexity {:.3f} ({:+.3f} %), {:.4f} bits per byte, {} tokens\n", folder, result.perplexity(),
               100 * (result.perplexity() / first - 1), result.bits_per_byte(), result.targets);
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // On a pipe, one result after the other.
  const Options options = parse(argc, argv);
  try {
    measure(options);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "perplexity: {}\n", error.what());
    return 1;
  }
}
