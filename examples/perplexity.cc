// Measures how well models predict a text, for example before and after quantising.
#include <tinyllm/train/data/text_dataset.h>
#include <tinyllm/train/evaluator.h>

#include "common/model_options.h"

namespace tl = tinyllm;

namespace {

struct Options {
  std::vector<std::string> models;
  std::string data;
  int64_t validation_every = 100;
  int64_t tokens = 32768;
  tl::LoadOptions load;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Measures how well models predict the tokens of a text: perplexity and bits per byte. Each model is also "
      "compared with the first one, which shows what quantising or fine-tuning has cost.");
  app.add_option("-m,--model,models", o.models,
                 "Measure the models in these folders or GGUF files, which have the tokenizer that made the data.")
      ->type_name("MODEL")
      ->required();
  app.add_option("--data", o.data, "Predict this file of tokens, which tokenize made.")->type_name("FILE")->required();
  tl::cli::add_number(app, "--validation-every", o.validation_every, tl::at_least(0),
                      "Measure on one of N documents, those that pretrain keeps for validation with the same option; "
                      "0 measures on all documents.");
  tl::cli::add_number(app, "--tokens", o.tokens, tl::at_least(1),
                      "Predict about N tokens, taken from all parts of the data.");
  tl::cli::add_load_options(app, o.load);
  tl::cli::add_threads(app, o.threads);
  tl::cli::add_examples(app,
                        {"perplexity my-model --data corpus.tokens",
                         "perplexity my-model my-model-q8 --data corpus.tokens --validation-every 0 --tokens 100000"},
                        "chat my-model");
  tl::cli::parse(app, argc, argv);
  return o;
}

void measure(const Options& o) {
  constexpr int64_t kRows = 8;  // Computed at once.
  tl::ThreadPool pool(o.threads);
  double first = 0;
  for (const std::string& folder : o.models) {
    const tl::Model model = tl::cli::load(folder, o.load, pool);
    const auto file = std::make_shared<const tl::TokenFile>(o.data, *model.tokenizer);
    tl::TextOptions options{.length = model.config.context, .pad = model.tokenizer->pad()};
    if (o.validation_every == 0) {
      options.part = tl::TextPart::all;
    } else {
      options.part = tl::TextPart::validation;
      options.validation_every = o.validation_every;
    }
    const int64_t rows = std::max(kRows, o.tokens / options.length);
    const tl::Evaluation result =
        tl::Evaluator(model, kRows, options.length, pool).evaluate(tl::TextDataset(file, options), rows);
    if (first == 0) first = result.perplexity();
    fmt::print("{}: perplexity {:.3f} ({:+.3f} %), {:.4f} bits per byte, {}\n", folder, result.perplexity(),
               100 * (result.perplexity() / first - 1), result.bits_per_byte(),
               tl::cli::count(result.targets, "token"));
  }
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] {
    measure(parse(argc, argv));
    return 0;
  });
}
