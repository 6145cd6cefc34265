#include <tinyllm/model/hugging_face.h>

#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/quantized.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {
namespace {

// Rows that are packed at once: whole panels, and little memory beside a model.
constexpr int64_t kRowsAtOnce = 1024;

// A weight as a matrix [rows, width], whose rows are those of the tensors of its parts, one after another. Norms and
// biases have a width of 1.
struct Source {
  std::vector<WeightFiles::Tensor> tensors;
  std::vector<int64_t> rows;
  int64_t width;

  Source(const WeightFiles& files, const WeightSpec& spec) : width(spec.shape.rank() == 2 ? spec.shape[1] : 1) {
    for (const WeightPart& part : spec.parts) {
      tensors.push_back(files.at(part.hugging_face, spec.shape.with(0, part.rows)));
      rows.push_back(part.rows);
    }
  }

  bool is_all(DType type) const {
    return std::ranges::all_of(tensors, [&](const auto& tensor) { return tensor.entry->element_type() == type; });
  }

  // Calls read(tensor, its first element, where they go, how many) for the tensors that hold rows [first, first + n).
  template <class Read>
  void for_each_range(int64_t first, int64_t n, Read read) const {
    int64_t done = 0, begin = 0;  // `begin`: the first row of the tensor within the weight.
    for (size_t i = 0; i < tensors.size(); begin += rows[i++]) {
      const int64_t from = std::max(first + done, begin), to = std::min(first + n, begin + rows[i]);
      if (from >= to) continue;
      read(tensors[i], (from - begin) * width, done * width, (to - from) * width);
      done += to - from;
    }
  }

  void read(int64_t first, int64_t n, std::span<float> out) const {
    for_each_range(first, n, [&](const WeightFiles::Tensor& tensor, int64_t from, int64_t to, int64_t count) {
      tensor.read(from, out.subspan(static_cast<size_t>(to), static_cast<size_t>(count)));
    });
  }

  void read(int64_t first, int64_t n, std::span<BFloat16> out) const {
    for_each_range(first, n, [&](const WeightFiles::Tensor& tensor, int64_t from, int64_t to, int64_t count) {
      tensor.file->read(*tensor.entry, static_cast<uint64_t>(from) * sizeof(BFloat16),
                        std::as_writable_bytes(out.subspan(static_cast<size_t>(to), static_cast<size_t>(count))));
    });
  }
};

void load_packed(const Source& source, const Store::Entry& entry, ThreadPool& pool) {
  const int64_t rows = entry.shape[0], width = source.width;
  const bool is_copied = entry.type == packed_bf16 && source.is_all(bf16);
  std::vector<BFloat16> elements;
  std::vector<float> numbers;
  for (int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const int64_t n = std::min(kRowsAtOnce, rows - first);
    const Shape shape = {n, width};
    std::byte* to = entry.data + (first == 0 ? 0 : bytes_of(entry.type, {first, width}));
    if (is_copied) {
      elements.resize(static_cast<size_t>(n * width));
      source.read(first, n, std::span(elements));
      pack_quantized(entry.type, shape, reinterpret_cast<const std::byte*>(elements.data()), nullptr, to, pool);
    } else {
      numbers.resize(static_cast<size_t>(n * width));
      source.read(first, n, std::span(numbers));
      const QuantizedMatrix matrix = quantize(entry.type, shape, numbers.data(), pool);
      pack_quantized(entry.type, shape, matrix.quants.data(), reinterpret_cast<const std::byte*>(matrix.scales.data()),
                     to, pool);
    }
  }
}

// A vocabulary may have rows that no token uses, but not the other way round.
void check_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, const std::filesystem::path& folder) {
  if (tokenizer.size() <= config.vocab_size) return;
  throw Error("{}: the tokenizer has {} tokens, expected at most {}, the vocab_size in {}", folder.string(),
              tokenizer.size(), config.vocab_size, kConfigFile);
}

// A config may claim any number of layers: it is compared with the files before a name is made for each.
void check_layers(const ModelConfig& config, const WeightFiles& files, const std::filesystem::path& folder) {
  if (config.n_layers <= std::ssize(files.tensors())) return;
  throw Error("{}: {} tensors, too few for the {} layers in {}", folder.string(), files.tensors().size(),
              config.n_layers, kConfigFile);
}

bool is_matrix(const WeightSpec& spec) { return spec.shape.rank() == 2; }

// The types in which matrices can be used as they are in the files.
WeightTypes types_of(const ModelConfig& config, const WeightFiles& files) {
  for (const WeightSpec& spec : weight_specs(config)) {
    if (!is_matrix(spec)) continue;
    if (spec.shape[1] % kernels::kQuantBlock != 0 || !Source(files, spec).is_all(bf16)) return {};
  }
  return {.matrices = packed_bf16, .tables = packed_bf16};
}

}  // namespace

Model load_hugging_face(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / kConfigFile;
  ModelConfig config;
  try {
    config = config_from_hugging_face(load_json_object(path));
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
  const WeightFiles files(folder);
  check_layers(config, files, folder);
  config.types = types_of(config, files);
  Model model{config, load_tokenizer(folder)};
  check_tokenizer(*model.tokenizer, config, folder);
  model.chat_template = load_chat_template(folder);
  ThreadPool pool(hardware_threads());
  load_hugging_face_weights(files, weight_specs(config), pool, *model.weights);
  return model;
}

void load_hugging_face_weights(const WeightFiles& files, const std::vector<WeightSpec>& specs, ThreadPool& pool,
                               Store& store) {
  std::vector<Source> sources;
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) {
    sources.emplace_back(files, spec);
    wanted.push_back({spec.name, spec.type, spec.shape});
  }
  store.add(wanted);
  for (size_t i = 0; i < specs.size(); ++i) {
    const Store::Entry& entry = store.at(specs[i].name);
    try {
      if (entry.type.is_packed()) {
        load_packed(sources[i], entry, pool);
      } else {
        sources[i].read(0, entry.shape[0], entry.as<float>());
      }
    } catch (const Error& error) {
      throw Error("{}: {}", specs[i].parts.front().hugging_face, error.what());
    }
  }
}

}  // namespace tinyllm
