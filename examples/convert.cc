// A model in the form of other programs: a folder of Hugging Face, or a GGUF file.
#include <tinyllm/model/gguf_adapter.h>
#include <tinyllm/model/gguf_model.h>
#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/own_form.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/train/data/seen_questions.h>

#include "common/interrupt.h"
#include "common/model_options.h"
#include "common/progress_bar.h"

#include <cctype>
#include <map>
#include <optional>

namespace tl = tinyllm;

namespace {

struct Options {
  std::string model, base;
  std::filesystem::path output;
  std::optional<tl::GgufType> type;
  bool only_adapters = false;
  int threads = tl::hardware_threads();

  bool to_gguf() const { return output.extension() == ".gguf"; }
};

constexpr tl::GgufType kTypes[] = {tl::GgufType::F32, tl::GgufType::F16, tl::GgufType::BF16, tl::GgufType::Q8_0,
                                   tl::GgufType::Q4_0};

// As options spell it: q8_0.
std::string name_of(tl::GgufType type) {
  std::string name = tl::gguf_type(type).name;
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

Options parse(int argc, char** argv) {
  Options o;
  CLI::App app(
      "Writes a model for other programs: a GGUF file, as llama.cpp reads it, if the name of the output ends with "
      ".gguf, "
      "and otherwise a folder as transformers reads it. Reads our folders, those of Hugging Face, and GGUF files. "
      "Adapters are merged into the weights first, or written alone with --adapters.");
  tl::cli::add_model(app, o.model, "Read the model, or the adapters, in this folder or GGUF file.");
  app.add_option("-o,--output,output", o.output, "Write this file, NAME.gguf, or this folder.")
      ->type_name("PATH")
      ->required();
  std::vector<std::pair<std::string, tl::GgufType>> types;
  for (const tl::GgufType type : kTypes) types.emplace_back(name_of(type), type);
  tl::cli::add_choice(
      app, "--type", o.type, types,
      "Write the weights in this type; by default in their own, and in a folder f32 for quantised ones. "
      "q8_0 and q4_0 are for GGUF; with q4_0, embeddings and head are q8_0.")
      ->default_str("");
  CLI::Option* const adapters =
      app.add_flag("--adapters", o.only_adapters,
                   "Write the adapters alone: NAME.gguf, as llama.cpp adds them to a model, or a folder of PEFT.");
  adapters->excludes(app.get_option("--type"));
  app.add_option("--base", o.base,
                 "The adapters belong to this model, a folder or a GGUF file, instead of the one that they name; "
                 "adapters in a GGUF file name none.")
      ->type_name("MODEL");
  tl::cli::add_threads(app, o.threads);
  tl::cli::add_examples(app,
                        {"convert Qwen3-0.6B qwen3-q8_0.gguf --type q8_0", "convert my-model.gguf my-model-folder",
                         "convert my-model my-model.gguf", "convert my-adapters my-adapters.gguf --adapters"},
                        "chat qwen3-q8_0.gguf");
  tl::cli::parse(app, argc, argv);
  const bool is_quantised = o.type == tl::GgufType::Q8_0 || o.type == tl::GgufType::Q4_0;
  if (is_quantised && !o.to_gguf()) {
    throw tl::cli::UsageError("--type: {} is for GGUF, and {} is a folder; quantize writes our own folders",
                              tl::gguf_type(*o.type).name, o.output.string());
  }
  if (o.only_adapters && o.base.empty() && std::filesystem::path(o.model).extension() == ".gguf") {
    throw tl::cli::UsageError("--base: missing: adapters in a GGUF file name no model");
  }
  return o;
}

void check_output(const Options& o) {
  tl::cli::refuse_same(o.model, o.output);
  if (o.to_gguf() && tl::is_there(o.output)) {
    throw tl::Error("{}: exists; remove it, or give another --output", o.output.string());
  }
  if (!o.to_gguf()) tl::cli::refuse_finished_model(o.output);
}

bool is_quantised(const tl::Model& model) {
  const auto is_block = [](tl::Type type) { return type.is_packed() && tl::has_scales(type); };
  return is_block(model.config.types.matrices) || is_block(model.config.types.tables);
}

tl::Model read(const Options& o, const tl::LoadOptions& load, const tl::ThreadPool& pool) {
  if (o.base.empty()) return tl::cli::load(o.model, load, pool);
  tl::Model model = tl::cli::load(o.base, load, pool);
  model.base = tl::absolute_path(o.base);
  if (tl::is_folder(o.model)) {
    tl::load_lora(model, o.model, pool);
  } else {
    tl::load_gguf_adapter(model, o.model);
  }
  return model;
}

// As floats where the target, or merging adapters, cannot do with quantised weights.
tl::Model load(const Options& o, const tl::ThreadPool& pool) {
  const bool has_adapters = !o.base.empty() || tl::has_adapters(o.model);
  std::optional<tl::Model> model = read(o, {.type = has_adapters ? std::optional(tl::f32) : std::nullopt}, pool);
  if (has_adapters) {
    tl::merge_lora(*model);
  } else if (!o.to_gguf() && is_quantised(*model)) {
    model.reset();
    model = tl::load_model(o.model, {.type = tl::f32, .pool = pool});
  }
  return *std::move(model);
}

// "12 F32, 30 Q8_0" of the tensors of a file.
std::string types_in(const std::map<std::string, int64_t>& counts) {
  std::string text;
  for (const auto& [type, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, type);
  return text;
}

void report_gguf(const Options& o, const tl::GgufTypes& types, const std::vector<std::string>& losses) {
  const tl::Gguf file(o.output);
  std::map<std::string, int64_t> counts;
  int64_t other = 0;
  for (const tl::Gguf::Tensor& tensor : file.tensors()) {
    ++counts[tensor.type->name];
    const bool is_wanted = tensor.type->type == types.matrices || tensor.type->type == types.tables;
    if (tensor.shape.rank() == 2 && !is_wanted) ++other;
  }
  fmt::print("{}: {} ({})\n", file.metadata().get<std::string_view>("general.architecture"),
             tl::counted(std::ssize(file.tensors()), "tensor"), types_in(counts));
  if (other > 0) {
    fmt::print("{} in F16, as their rows are not whole blocks of {}\n",
               other == 1 ? "one matrix is" : fmt::format("{} matrices are", other),
               tl::gguf_type(types.matrices).name);
  }
  for (const std::string& loss : losses) fmt::print("{}\n", loss);
}

void to_gguf(const tl::Model& model, const Options& o, tl::ThreadPool& pool) {
  tl::GgufTypes types = tl::gguf_types(model);
  if (o.type) types = {*o.type, *o.type == tl::GgufType::Q4_0 ? tl::GgufType::Q8_0 : *o.type};
  const std::vector<std::string> losses = tl::save_gguf(
      model, types, o.output, pool,
      [show = tl::cli::show_weights()](const tl::Progress& p) { return show(p) && tl::cli::interrupts == 0; });
  report_gguf(o, types, losses);
}

void to_folder(tl::Model& model, const Options& o) {
  const auto wanted = [&](tl::DType own) {
    if (!o.type) return own;
    return *o.type == tl::GgufType::F16 ? tl::f16 : *o.type == tl::GgufType::BF16 ? tl::bf16 : tl::f32;
  };
  if (model.origin == nullptr) {
    if (model.chat_template == tl::default_chat_template()) {
      fmt::print(
          "a text in which U+2581 stands gets other tokens in other programs, as it is how they write a blank\n");
    }
    tl::take_hugging_face_form(model, wanted(model.config.types.quantized() ? tl::bf16 : tl::f32));
  } else if (o.type) {
    model.origin =
        std::make_shared<const tl::HuggingFaceForm>(tl::with_type(*model.origin, wanted(tl::main_type(*model.origin))));
  }
  tl::save_model(model, o.output);
  tl::SeenQuestions::of_model(o.model).save(o.output);
  std::map<std::string, int64_t> counts;
  for (const auto& [name, tensor] : model.origin->tensors) ++counts[tl::safetensors_name(tensor.type)];
  fmt::print("{} ({})\n", tl::counted(std::ssize(model.origin->tensors), "tensor"), types_in(counts));
}

int convert_adapters(const Options& o) {
  tl::ThreadPool pool(o.threads);
  const tl::Model model = read(o, {}, pool);
  if (o.to_gguf()) {
    tl::save_gguf_adapter(model, o.output, pool);
  } else if (model.base.empty()) {  // They lie beside their model, whose folder does not name itself.
    tl::save_lora(model, o.output);
    tl::cli::note(fmt::format("{}: names no model; give it as --base\n", o.output.string()));
  } else {
    tl::save_model(model, o.output);
  }
  fmt::print("{}\nsaved {}\n", tl::counted(std::ssize(tl::adapter_parts(model)), "adapter"), o.output.string());
  return 0;
}

int convert(const Options& o) {
  const tl::cli::InterruptGuard guard;
  const auto lock = o.to_gguf() ? nullptr : tl::cli::lock_folder(o.output);
  check_output(o);
  if (o.only_adapters) return convert_adapters(o);
  tl::ThreadPool pool(o.threads);
  tl::Model model = load(o, pool);
  if (o.to_gguf()) {
    to_gguf(model, o, pool);
  } else {
    to_folder(model, o);
  }
  fmt::print("{}\nsaved {}\n", tl::cli::sizes(o.model, o.output), o.output.string());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tl::cli::run_main(argv, [&] { return convert(parse(argc, argv)); });
}
