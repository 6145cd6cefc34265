#include <tinyllm/model/weight_reader.h>

#include <tinyllm/ops/kernels/kernels.h>

#include <algorithm>

namespace tinyllm {
namespace {

// How many rows are read at once: whole panels, and little memory compared to a model.
constexpr int64_t kRowsAtOnce = 1024;

bool is_table(const WeightSpec& spec) { return spec.role == WeightRole::embedding || spec.role == WeightRole::head; }

void pack(const QuantizedMatrix& matrix, std::byte* to, ThreadPool& pool) {
  pack_quantized(matrix.type, matrix.shape, matrix.quants.data(),
                 reinterpret_cast<const std::byte*>(matrix.scales.data()), to, pool);
}

// Calls done(number of weights) for what is loaded.
template <class Done>
void load_packed(const WeightReader& reader, const WeightSpec& spec, const Store::Entry& entry, ThreadPool& pool,
                 Done done) {
  const int64_t rows = spec.shape[0], width = spec.shape[1];
  const bool is_kept = reader.type_of(spec) == entry.type;
  std::vector<float> numbers;
  for (int64_t first = 0; first < rows; first += kRowsAtOnce) {
    const int64_t n = std::min(kRowsAtOnce, rows - first);
    std::byte* to = entry.data + (first == 0 ? 0 : bytes_of(entry.type, {first, width}));
    if (!is_kept) {
      numbers.resize(static_cast<size_t>(n * width));
      reader.read(spec, first, n, numbers);
    }
    try {
      pack(is_kept ? reader.read_packed(spec, first, n) : quantize(entry.type, {n, width}, numbers.data(), pool), to,
           pool);
    } catch (const Error& error) {
      const std::string name = reader.name(spec);
      if (std::string_view(error.what()).starts_with(name)) throw;
      throw Error("{}: {}", name, error.what());
    }
    done(n * width);
  }
}

}  // namespace

WeightTypes types_of(const WeightReader& reader, const ModelConfig& config) {
  std::optional<Type> matrices, tables;
  for (const WeightSpec& spec : weight_specs(config)) {
    if (spec.shape.rank() != 2) continue;
    std::optional<Type>& common = is_table(spec) ? tables : matrices;
    const Type type = spec.shape[1] % kernels::kQuantBlock == 0 ? reader.type_of(spec) : f32;
    common = common.value_or(type) == type ? type : f32;
  }
  return {.matrices = matrices.value_or(f32), .tables = tables.value_or(f32)};
}

void load_weights(const WeightReader& reader, const std::vector<WeightSpec>& specs, ThreadPool& pool, Store& store,
                  const OnProgress& on_progress) {
  std::vector<Store::Wanted> wanted;
  Progress progress;
  for (const WeightSpec& spec : specs) {
    progress.total += spec.shape.size();
    reader.type_of(spec);  // Throws if it cannot be read.
    wanted.push_back({spec.name, spec.type, spec.shape});
  }
  store.add(wanted);
  const auto done = [&](int64_t weights) {
    progress.done += weights;
    report(on_progress, progress);
  };
  for (const WeightSpec& spec : specs) {
    const Store::Entry& entry = store.at(spec.name);
    if (entry.type.is_packed()) {
      load_packed(reader, spec, entry, pool, done);
    } else {
      reader.read(spec, 0, spec.shape[0], entry.as<float>());
      done(spec.shape.size());
    }
  }
}

}  // namespace tinyllm
