// Trains a model from scratch to predict the next token of a corpus.
#include <tinyllm/model/config_fields.h>
#include <tinyllm/train/data/text_dataset.h>

#include "common/training_options.h"

namespace tl = tinyllm;

namespace {

// The form of the model.
enum class Preset : uint8_t { standard, seed, llama };
constexpr auto names(Preset) { return std::array{"default", "seed", "llama"}; }

struct Options {
  std::string data, tokenizer;
  tl::ModelConfig model;
  Preset preset = Preset::standard;
  bool qk_norm = false;
  tl::DocumentEnd document_end = tl::DocumentEnd::attention;
  int64_t validation_every = 100;
  tl::cli::TrainingOptions training;
};

void add_model_options(CLI::App& app, tl::ModelConfig& model) {
  constexpr std::pair<std::string_view, const char*> kOptions[] = {
      {"hidden_size", "--dim"},       {"num_hidden_layers", "--layers"}, {"num_attention_heads", "--heads"},
      {"intermediate_size", "--ffn"}, {"dropout", "--dropout"},          {"max_position_embeddings", "-c,--context"}};
  tl::for_each_field(tl::kConfigFields, [&](const auto& field) {
    for (const auto& [name, option] : kOptions) {
      if (name != field.name) continue;
      tl::cli::add_number(app, option, model.*field.member, field.range, field.meaning)->group("Model");
    }
  });
}

void add_preset(CLI::App& app, Options& o) {
  tl::cli::add_choice(app, "--preset", o.preset,
                      "Make a model of the form that learns fastest here, with norms of queries and keys and relu^2 "
                      "(default); of that of tinyllm's first design, with silu (seed); or of that of Llama, which "
                      "convert writes for other programs: SwiGLU without biases, two thirds as wide as --ffn says.")
      ->group("Model");
  app.add_flag("--qk-norm", o.qk_norm, "With --preset llama, normalise queries and keys: the form of Qwen3.")
      ->group("Model");
}

void add_options(CLI::App& app, Options& o) {
  app.add_option("--data", o.data, "Learn from this file of tokens, which tokenize made.")
      ->type_name("FILE")
      ->required();
  app.add_option("--tokenizer", o.tokenizer, "Use the tokenizer that made the file: its file or its folder.")
      ->type_name("FILE")
      ->required();
  tl::cli::add_choice(app, "--document-end", o.document_end,
                      "At the end of a document, begin a new row, or end the attention so that the next document does "
                      "not see it, or do "
                      "nothing.");
  tl::cli::add_number(app, "--validation-every", o.validation_every, tl::at_least(2),
                      "Keep one of N documents for validation.");
  add_preset(app, o);
  add_model_options(app, o.model);
  tl::cli::add_training_options(app, o.training);
  tl::cli::add_examples(app,
                        {"pretrain --data corpus.tokens --tokenizer tokenizer -o base --dashboard 8080",
                         "pretrain --data corpus.tokens --tokenizer tokenizer -o base --dim 256 --layers 6 --dry-run"},
                        "finetune --model base --data chats.jsonl -o my-model");
}

int run(int argc, char** argv) {
  Options o;
  o.training.recipe = tl::cli::best_recipe();
  o.training.recipe.steps = 0;
  CLI::App app(
      "Trains a language model from scratch on a file of tokens, which tokenize makes from a corpus, and saves it as a "
      "folder.\nStarted again with the same options, it resumes where it was stopped.");
  add_options(app, o);
  tl::cli::parse(app, argc, argv);
  const bool is_llama = o.preset == Preset::llama;
  o.training.dependents = {{"--qk-norm", is_llama, "without --preset llama"}};
  tl::cli::check_options(app, o.training, o.model.context);
  if (is_llama) o.model = tl::as_llama(o.model, o.qk_norm);
  if (o.preset == Preset::standard) tl::cli::set_best_form(o.model);

  std::unique_ptr<tl::Tokenizer> tokenizer = tl::load_tokenizer(o.tokenizer);
  o.model.vocab_size = tokenizer->size();
  tl::check(o.model);
  tl::Model model{o.model, std::move(tokenizer)};
  const auto lock = tl::cli::lock_output(o.training);
  const auto file = tl::cli::open_tokens(o.data, *model.tokenizer);
  const auto part = [&](tl::TextPart which) {
    return std::make_shared<const tl::TextDataset>(file, tl::TextOptions{.length = o.training.recipe.seq_len,
                                                                         .document_end = o.document_end,
                                                                         .part = which,
                                                                         .validation_every = o.validation_every,
                                                                         .pad = model.tokenizer->pad()});
  };
  const auto rows = part(tl::TextPart::train);
  const auto validation = part(tl::TextPart::validation);
  fmt::print("{}: {}; {} tokens to learn from, {} for validation\n", o.data, tl::counted(file->documents(), "document"),
             rows->tokens(), validation->tokens());
  tl::cli::settle_precision(o.training);
  tl::cli::settle_steps(o.training, *rows);
  tl::RunOptions options;
  options.lock = lock.get();
  options.mix = {{o.data, 1, 1, file->documents(), rows->tokens()}};
  options.prompts = tl::cli::text_prompts(o.training, *model.tokenizer);
  if (!o.training.dry_run) {
    tl::init_weights(tl::weight_specs(model.config), o.training.recipe.seed, *model.weights);
  }
  return tl::cli::train(model, {{"pretrain", rows, validation, o.training.recipe}}, app, o.training,
                        std::move(options));
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return run(argc, argv); });
}
