// Writes a smaller copy of a model folder, with 16, 8 or 4 bits per weight.
#include <tinyllm/model/lora.h>
#include <tinyllm/model/quantize.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/train/data/seen_questions.h>

#include "common/interrupt.h"
#include "common/model_options.h"
#include "common/progress_bar.h"

#include <optional>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string model;
  std::filesystem::path output;
  tl::Type type = tl::q8_0;
  std::optional<tl::Type> tables;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Writes a model folder with smaller weights, which answers faster. chat and generate open it like any other. "
      "finetune trains adapters beside these weights, or widens them to f32 to train them all. Adapters are merged "
      "into the weights first. convert writes what other programs read.");
  tl::cli::add_model(app, o.model, "Read the model in this folder or GGUF file.");
  app.add_option("-o,--output,output", o.output, "Write the smaller model into this folder.")
      ->type_name("FOLDER")
      ->required();
  std::vector<std::pair<std::string, tl::Type>> types;
  for (const tl::Type each : tl::kPackedTypes) types.emplace_back(each.name(), each);
  tl::cli::add_choice(
      app, "--type", o.type, types,
      "Store matrices in this format, which takes 8.5 (q8_0), 4.5 (q4_0) or 16 (bf16) bits per weight.");
  types.emplace_back(tl::name_of(tl::f32), tl::f32);
  tl::cli::add_choice(
      app, "--tables", o.tables, types,
      "Store the embeddings and the output layer in this format; by default bf16 if --type is bf16, and "
      "q8_0 otherwise.");
  tl::cli::add_threads(app, o.threads);
  tl::cli::add_examples(app,
                        {"quantize my-model my-model-q8", "quantize my-model my-model-q4 --type q4_0 --tables f32"},
                        "chat my-model-q8");
  tl::cli::parse(app, argc, argv);
  return o;
}

int quantize(const Options& o) {
  const tl::cli::InterruptGuard guard;
  tl::cli::refuse_same(o.model, o.output);
  const auto lock = tl::cli::lock_folder(o.output);
  tl::cli::refuse_finished_model(o.output);
  const bool has_adapters = tl::has_adapters(o.model);  // These are merged into floats.
  const tl::ThreadPool pool(o.threads);
  tl::Model model =
      tl::cli::load(o.model, {.type = has_adapters ? std::optional<tl::Type>(tl::f32) : std::nullopt}, pool);
  if (has_adapters) tl::merge_lora(model);
  const tl::WeightTypes types = {o.type, o.tables.value_or(tl::weight_types(o.type).tables)};
  tl::save_quantized(model, types, o.output, pool, [show = tl::cli::show_weights()](const tl::Progress& p) {
    return show(p) && tl::cli::interrupts == 0;
  });
  tl::SeenQuestions::of_model(o.model).save(o.output);
  fmt::print("matrices {}, tables {}: {}\nsaved {}\n", types.matrices.name(), types.tables.name(),
             tl::cli::sizes(o.model, o.output), o.output.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return quantize(parse(argc, argv)); });
}
