#include "model_options.h"

#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/file.h>

#include "interrupt.h"
#include "progress_bar.h"

#include <unistd.h>

namespace tinyllm::cli {

namespace {

double weight_megabytes(const std::filesystem::path& path) {
  uint64_t bytes = 0;
  if (!is_folder(path)) {
    bytes = RandomAccessFile(path).size();
  } else {
    for (const std::string& name : names_in(path)) {
      if (is_weight_file(name) && name != kWeightsIndexFile) bytes += RandomAccessFile(path / name).size();
    }
  }
  return static_cast<double>(bytes) / 1e6;
}

}  // namespace

void add_weight_type(CLI::App& app, std::optional<Type>& into) {
  std::vector<std::pair<std::string, Type>> types = {{name_of(f32), f32}};
  for (const Type type : kPackedTypes) types.emplace_back(type.name(), type);
  add_choice(app, "--type", into, types,
             "Convert the weights to this type while they are read: 32 (f32), 16 (bf16), 8.5 (q8_0) or 4.5 (q4_0) bits "
             "each; by default they stay as they are.")
      ->default_str("");
}

void add_load_options(CLI::App& app, LoadOptions& o) {
  add_weight_type(app, o.type);
  add_number(app, "-c,--context", o.context, between(0, 1 << 24),
             "Let the model see at most N tokens at once, prompt and answer together, which saves memory; 0 is as many "
             "as it can.");
}

OnProgress show_reading() { return isatty(STDERR_FILENO) != 0 ? show_weights() : nullptr; }

Model load(const std::string& path, const LoadOptions& o, const ThreadPool& pool) {
  LoadOptions shown = o;
  shown.pool = pool;
  shown.on_progress = [show = show_reading()](const Progress& p) { return (!show || show(p)) && interrupts == 0; };
  Model model = load_model(path, shown);
  for (const std::string& text : model.notes) note(text + "\n");
  return model;
}

std::string sizes(const std::filesystem::path& before, const std::filesystem::path& after) {
  const double old = weight_megabytes(before);
  const std::string size = fmt::format("{:.1f} MB", weight_megabytes(after));
  return old == 0 ? size : fmt::format("{}, of {:.1f} MB before", size, old);
}

}  // namespace tinyllm::cli
