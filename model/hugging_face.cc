#include <tinyllm/model/hugging_face.h>

#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/model/load.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {
namespace {

constexpr const char* kTable = "model.embed_tokens.weight";
constexpr const char* kHead = "lm_head.weight";

// Calls read(tensor, first element in it, destination, count) for each tensor that holds some of the rows [first, first
// + n) of a weight.
template <class Read>
void for_each_range(const WeightFiles& files, const WeightSpec& spec, int64_t first, int64_t n, Read read) {
  const int64_t width = spec.shape.size() / spec.shape[0];
  int64_t done = 0, begin = 0;  // `begin`: the first row of the tensor within the weight.
  for (const WeightPart& part : spec.parts) {
    const int64_t from = std::max(first + done, begin), to = std::min(first + n, begin + part.rows);
    if (from < to) {
      read(files.at(part.hugging_face, spec.shape.with(0, part.rows)), (from - begin) * width,
           static_cast<size_t>(done * width), static_cast<size_t>((to - from) * width));
      done += to - from;
    }
    begin += part.rows;
  }
}

// Whether the files of a model with a tied head also contain a head, with other numbers than the embeddings.
bool has_other_head(const WeightFiles& files) {
  const auto head = files.tensors().find(kHead);
  if (head == files.tensors().end()) return false;
  const Safetensors::Entry& entry = *head->second.entry;
  const WeightFiles::Tensor& table = files.at(kTable, entry.shape);
  if (table.entry->dtype != entry.dtype) return true;
  constexpr uint64_t kAtOnce = uint64_t{1} << 20;
  std::vector<std::byte> one, other;
  for (uint64_t at = 0; at < entry.size; at += kAtOnce) {
    one.resize(std::min(kAtOnce, entry.size - at));
    other.resize(one.size());
    head->second.file->read(entry, at, one);
    table.file->read(*table.entry, at, other);
    if (one != other) return true;
  }
  return false;
}

}  // namespace

std::string HuggingFaceWeights::name(const WeightSpec& spec, int64_t row) const {
  const WeightPart& part = part_with(spec, row);
  const WeightFiles::Tensor& tensor = files_.at(part.hugging_face, spec.shape.with(0, part.rows));
  return tensor.file->path().string() + ": " + part.hugging_face;
}

Type HuggingFaceWeights::type_of(const WeightSpec& spec) const {
  bool is_bf16 = spec.shape.rank() == 2;
  for (const WeightPart& part : spec.parts) {
    const WeightFiles::Tensor& tensor = files_.at(part.hugging_face, spec.shape.with(0, part.rows));
    is_bf16 &= tensor.entry->element_type() == bf16;
  }
  return is_bf16 ? packed_bf16 : f32;
}

void HuggingFaceWeights::read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const {
  for_each_range(files_, spec, first, n, [&](const WeightFiles::Tensor& tensor, int64_t from, size_t to, size_t count) {
    tensor.read(from, out.subspan(to, count));
  });
}

QuantizedMatrix HuggingFaceWeights::read_packed(const WeightSpec& spec, int64_t first, int64_t n) const {
  QuantizedMatrix matrix{.type = packed_bf16, .shape = spec.shape.with(0, n), .quants = {}, .scales = {}};
  matrix.quants.resize(static_cast<size_t>(matrix.shape.size()) * sizeof(BFloat16));
  for_each_range(files_, spec, first, n, [&](const WeightFiles::Tensor& tensor, int64_t from, size_t to, size_t count) {
    tensor.file->read(*tensor.entry, static_cast<uint64_t>(from) * sizeof(BFloat16),
                      std::span(matrix.quants).subspan(to * sizeof(BFloat16), count * sizeof(BFloat16)));
  });
  return matrix;
}

Model load_hugging_face(const std::filesystem::path& folder, const LoadOptions& options) {
  const std::filesystem::path path = folder / kConfigFile;
  ModelConfig config;
  try {
    config = config_from_hugging_face(load_json_object(path));
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
  const WeightFiles files(folder);
  ModelText text = load_text(folder);
  check_fit(config, *text.tokenizer, std::ssize(files.tensors()), folder);
  Model model = load_parts(config, std::move(text), HuggingFaceWeights(files), options);
  model.origin = std::make_shared<HuggingFaceForm>(form_of(read_file(path), files, model.config));
  if (config.tied_head && has_other_head(files)) {
    model.notes.push_back(fmt::format("{}: {} is not used: the config ties the head to the embeddings, which differ",
                                      folder.string(), kHead));
  }
  return model;
}

}  // namespace tinyllm
