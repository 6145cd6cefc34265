// A model from scratch: learns the next token of a corpus.
#include <tinyllm/train/data/text_dataset.h>

#include "common/training_options.h"

#include <cstdio>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string corpus, tokenizer;
  tl::ModelConfig model;
  tl::DocumentEnd document_end = tl::DocumentEnd::attention;
  int64_t held_out_every = 100;
  tl::cli::TrainingOptions training;
};

void add_model_options(CLI::App& app, tl::ModelConfig& model) {
  const auto add = [&](const char* name, auto& value, const char* description) {
    app.add_option(name, value, description)->capture_default_str()->group("Model");
  };
  add("--dim", model.dim, "Width of the hidden states");
  add("--layers", model.n_layers, "Blocks");
  add("--heads", model.n_heads, "Attention heads of a block");
  add("--ffn", model.ffn_dim, "Width of the feed-forward network");
  add("--context", model.context, "Tokens that the model can see at once");
  add("--dropout", model.dropout, "Of attention weights and inside the feed-forward network, while training");
}

int run(int argc, char** argv) {
  Options o;
  o.training.recipe = {.steps = 0,
                       .optimizer = tl::Optimizer::muon,
                       .rate = 1.6e-3f,
                       .schedule = tl::Schedule::wsd,
                       .final_rate = 0.0f,
                       .cooldown = 0.3f};
  CLI::App app(
      "Trains a language model from scratch on a corpus that `tokenize` has made a file of tokens, and saves it as a "
      "folder.\nStarted again with the same options, it goes on where it was stopped.");
  app.add_option("--corpus", o.corpus, "The file of tokens")->required();
  app.add_option("--tokenizer", o.tokenizer, "The tokenizer that made it, or its folder")->required();
  tl::cli::add_choice(
      app, "--document-end", o.document_end,
      {{"row", tl::DocumentEnd::row}, {"attention", tl::DocumentEnd::attention}, {"nothing", tl::DocumentEnd::nothing}},
      "What ends where a document does: attention, a row, or nothing: it is seen by what follows");
  app.add_option("--held-out-every", o.held_out_every, "One of so many documents is held out for validation")
      ->capture_default_str();
  add_model_options(app, o.model);
  tl::cli::add_training_options(app, o.training);
  tl::cli::parse(app, argc, argv);
  tl::cli::check_output(o.training);

  tl::Tokenizer tokenizer = tl::Tokenizer::load(o.tokenizer);
  o.model.vocab_size = tokenizer.size();
  tl::check(o.model);
  tl::Model model{o.model, std::move(tokenizer)};
  tl::init_weights(tl::weight_specs(model.config), o.training.recipe.seed, *model.weights);

  const auto file = std::make_shared<const tl::TokenFile>(o.corpus, model.tokenizer);
  file->verify();
  const auto part = [&](tl::TextPart which) {
    return std::make_shared<const tl::TextDataset>(file, tl::TextOptions{.length = o.training.recipe.length,
                                                                         .document_end = o.document_end,
                                                                         .part = which,
                                                                         .held_out_every = o.held_out_every});
  };
  const auto rows = part(tl::TextPart::train);
  const auto held_out = part(tl::TextPart::held_out);
  fmt::print("{}: {} documents; {} tokens to learn from, {} held out\n", o.corpus, file->documents(), rows->tokens(),
             held_out->tokens());
  tl::cli::settle(o.training, *rows);
  tl::RunOptions options;
  options.mix = {{o.corpus, 1, 1, file->documents(), rows->tokens()}};
  for (const std::string& prompt : o.training.prompts) {
    options.prompts.push_back({prompt, model.tokenizer.encode(prompt)});
  }
  return tl::cli::train(model, {"pretrain", rows, held_out, o.training.recipe}, app, o.training, std::move(options));
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(argc, argv); });
}
