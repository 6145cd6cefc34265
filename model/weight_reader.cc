#include <tinyllm/model/weight_reader.h>

#include <tinyllm/ops/kernels/kernels.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace tinyllm {
namespace {

// How many rows are read at once: whole panels, and little memory compared to a model.
constexpr int64_t kRowsAtOnce = 1024;

bool is_table(const WeightSpec& spec) { return spec.role == WeightRole::embedding || spec.role == WeightRole::head; }

void pack(const QuantizedMatrix& matrix, std::byte* to, ThreadPool& pool) {
  pack_quantized(matrix.type, matrix.shape, matrix.quants.data(),
                 reinterpret_cast<const std::byte*>(matrix.scales.data()), to, pool);
}

// Throws Error that names the tensor of the first number that is not finite.
void check_finite(const WeightReader& reader, const WeightSpec& spec, int64_t first, std::span<const float> numbers) {
  constexpr uint32_t kExponent = 0x7F800000;  // All its bits are set in NaN and infinity alone.
  uint32_t bad = 0;
  for (const float x : numbers) bad |= static_cast<uint32_t>((std::bit_cast<uint32_t>(x) & kExponent) == kExponent);
  if (bad == 0) return;
  const auto found = std::ranges::find_if_not(numbers, [](float x) { return std::isfinite(x); });
  const int64_t row = first + (found - numbers.begin()) / (spec.shape.size() / spec.shape[0]);
  throw Error("{}: a weight is {}, expected a finite number", reader.name(spec, row), *found);
}

// Whether a matrix that is kept as it is has only finite numbers.
bool is_finite(const QuantizedMatrix& matrix) {
  if (has_scales(matrix.type)) {
    return std::ranges::all_of(matrix.scales, [](Half scale) { return (scale.bits & 0x7C00u) != 0x7C00u; });
  }
  uint32_t bad = 0;
  for (size_t i = 0; i < matrix.quants.size(); i += 2) {
    const auto bits = std::to_integer<uint32_t>(matrix.quants[i]) | std::to_integer<uint32_t>(matrix.quants[i + 1])
                                                                        << 8;
    bad |= static_cast<uint32_t>((bits & 0x7F80u) == 0x7F80u);
  }
  return bad == 0;
}

// Rows of a weight in the type in which it is stored.
QuantizedMatrix read_packed(const WeightReader& reader, const WeightSpec& spec, int64_t first, int64_t n,
                            std::vector<float>& numbers) {
  QuantizedMatrix matrix = reader.read_packed(spec, first, n);
  if (!is_finite(matrix)) {
    numbers.resize(static_cast<size_t>(n * spec.shape[1]));
    reader.read(spec, first, n, numbers);
    check_finite(reader, spec, first, numbers);
  }
  return matrix;
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
    if (is_kept) {
      pack(read_packed(reader, spec, first, n, numbers), to, pool);
    } else {
      numbers.resize(static_cast<size_t>(n * width));
      reader.read(spec, first, n, numbers);
      check_finite(reader, spec, first, numbers);
      pack(quantize(entry.type, {n, width}, numbers.data(), pool), to, pool);
    }
    done(n * width);
  }
}

}  // namespace

const WeightPart& part_with(const WeightSpec& spec, int64_t row) {
  auto part = spec.parts.begin();
  for (; row >= part->rows; ++part) row -= part->rows;
  return *part;
}

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
      check_finite(reader, spec, 0, entry.as<float>());
      done(spec.shape.size());
    }
  }
}

}  // namespace tinyllm
