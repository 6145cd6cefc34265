// From a model folder to a smaller one that answers faster: weights of 16, 8 or 4 bits.
#include <tinyllm/model/lora.h>
#include <tinyllm/model/quantize.h>
#include "common/progress_bar.h"

#include "common/interrupt.h"
#include "common/parse.h"

#include <optional>

namespace tl = tinyllm;

namespace {

struct Options {
  std::filesystem::path input;
  std::filesystem::path output;
  tl::DType type = tl::q8_0;
  std::optional<tl::DType> tables;
  int threads = tl::hardware_threads();
};

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Writes a model folder with smaller weights: in bfloat16, or in blocks of 32 that share a scale.\nchat "
      "opens it as any other; it cannot be trained. Adapters are merged.");
  app.add_option("input", o.input, "The model folder")->required();
  app.add_option("output", o.output, "The folder to write")->required();
  std::vector<std::pair<std::string, tl::DType>> types;
  for (const tl::DType each : {tl::q8_0, tl::q4_0, tl::bf16}) types.emplace_back(tl::name_of(each), each);
  tl::cli::add_choice(app, "--type", o.type, types, "Of matrices: 8.5, 4.5 or 16 bits a weight");
  types.emplace_back(tl::name_of(tl::f32), tl::f32);
  tl::cli::add_choice(app, "--tables", o.tables, types, "Of embeddings and head; default: bf16 with bf16, else q8_0");
  app.add_option("--threads", o.threads, "Threads to compute with")->capture_default_str();
  tl::cli::parse(app, argc, argv);
  return o;
}

double megabytes(const std::filesystem::path& folder) {
  return static_cast<double>(std::filesystem::file_size(folder / tl::kWeightsFile)) / 1e6;
}

int quantize(const Options& o) {
  if (std::filesystem::exists(o.output) && std::filesystem::equivalent(o.input, o.output)) {
    throw tl::Error("{}: would take the place of the model that is read", o.output.string());
  }
  if (std::filesystem::exists(o.output / tl::kWeightsFile)) {
    throw tl::Error("{}: holds a finished model; remove it, or give another folder", o.output.string());
  }
  tl::Model model = tl::load_model(o.input);
  if (model.config.lora.rank > 0) tl::merge_lora(model);
  const tl::cli::InterruptGuard guard;
  std::optional<tl::cli::ProgressBar> bar;
  const tl::WeightTypes types = {o.type, o.tables.value_or(o.type == tl::bf16 ? tl::bf16 : tl::q8_0)};
  tl::save_quantized(model, types, o.output, o.threads, [&](int64_t done, int64_t total) {
    if (total < 100'000'000) return tl::cli::interrupts == 0;  // It is done before one could look.
    if (!bar) bar.emplace("M weights", total / 1'000'000);
    bar->show(done / 1'000'000, "");
    return tl::cli::interrupts == 0;
  });
  bar.reset();
  fmt::print("matrices {}, tables {}: {:.1f} MB, of {:.1f} MB before\nsaved {}\n", tl::name_of(types.matrices),
             tl::name_of(types.tables), megabytes(o.output), megabytes(o.input), o.output.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  try {
    return quantize(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "quantize: {}\n", error.what());
    return 1;
  }
}
