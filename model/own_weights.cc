#include <tinyllm/model/own_weights.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/base/json.h>

#include <algorithm>
#include <unordered_set>

namespace tinyllm {
namespace {

const char* type_in_file(Type type) { return type == packed_bf16 ? "BF16" : type == q8_0 ? "I8" : "U8"; }

std::string scale_name(const std::string& name) { return name + "_scale"; }
Shape quants_shape(Type type, const Shape& shape) { return shape.with(1, type == q4_0 ? shape[1] / 2 : shape[1]); }
Shape scales_shape(const Shape& shape) { return shape.with(1, shape[1] / kernels::kQuantBlock); }

// The tensors that hold a weight.
std::vector<const Safetensors::Entry*> entries_of(const Safetensors& file, const WeightSpec& spec) {
  if (!spec.type.is_packed()) {
    const Safetensors::Entry& entry = file.at(spec.name);
    const bool is_narrow = entry.element_type() == f16 || entry.element_type() == bf16;
    return {&file.at(spec.name, is_narrow ? entry.dtype : "F32", spec.shape)};
  }
  std::vector<const Safetensors::Entry*> entries = {
      &file.at(spec.name, type_in_file(spec.type), quants_shape(spec.type, spec.shape))};
  if (has_scales(spec.type)) entries.push_back(&file.at(scale_name(spec.name), "F16", scales_shape(spec.shape)));
  return entries;
}

// Reads n rows of a tensor whose rows all have the same number of bytes.
void read_rows(const Safetensors& file, const Safetensors::Entry& entry, int64_t first, int64_t n, void* to) {
  const uint64_t row = entry.size / static_cast<uint64_t>(entry.shape[0]);
  file.read(entry, static_cast<uint64_t>(first) * row,
            {static_cast<std::byte*>(to), static_cast<size_t>(n) * static_cast<size_t>(row)});
}

template <class T>
void read_narrow(const Safetensors& file, const Safetensors::Entry& entry, int64_t first, int64_t n,
                 std::span<float> out) {
  std::vector<T> values(out.size());
  read_rows(file, entry, first, n, values.data());
  convert(values, out);
}

bool is_before(const WeightSpec& spec, std::string_view name) { return spec.name < name; }

}  // namespace

OwnWeights::OwnWeights(const Safetensors& file, std::vector<WeightSpec> specs) : file_(file), specs_(std::move(specs)) {
  std::unordered_set<std::string_view> known;
  for (const WeightSpec& spec : specs_) {
    for (const Safetensors::Entry* entry : entries_of(file, spec)) known.insert(entry->name);
  }
  for (const Safetensors::Entry& entry : file.entries()) {
    if (!known.contains(entry.name)) {
      throw Error("{}: {} is not a weight of this model", file.path().string(), short_name(entry.name));
    }
  }
  std::ranges::sort(specs_, {}, &WeightSpec::name);
}

Type OwnWeights::type_of(const WeightSpec& spec) const {
  const auto found = std::lower_bound(specs_.begin(), specs_.end(), spec.name, is_before);
  if (found == specs_.end() || found->name != spec.name || found->shape != spec.shape) {
    throw Error("{}: {} {} is not a weight of this model", file_.path().string(), spec.name, spec.shape);
  }
  return found->type;
}

void OwnWeights::read(const WeightSpec& spec, int64_t first, int64_t n, std::span<float> out) const {
  if (type_of(spec).is_packed()) {
    const QuantizedMatrix matrix = read_packed(spec, first, n);
    std::vector<std::byte> packed(bytes_of(matrix.type, matrix.shape));
    ThreadPool alone(1);
    pack_quantized(matrix.type, matrix.shape, matrix.quants.data(),
                   reinterpret_cast<const std::byte*>(matrix.scales.data()), packed.data(), alone);
    for (int64_t row = 0; row < n; ++row) {
      dequantize_row(matrix.type, matrix.shape, packed.data(), row, out.data() + row * spec.shape[1]);
    }
    return;
  }
  const Safetensors::Entry& entry = file_.at(spec.name);
  if (entry.element_type() == f16) return read_narrow<Half>(file_, entry, first, n, out);
  if (entry.element_type() == bf16) return read_narrow<BFloat16>(file_, entry, first, n, out);
  read_rows(file_, entry, first, n, out.data());
}

QuantizedMatrix OwnWeights::read_packed(const WeightSpec& spec, int64_t first, int64_t n) const {
  WeightSpec stored = spec;
  stored.type = type_of(spec);
  const std::vector<const Safetensors::Entry*> entries = entries_of(file_, stored);
  QuantizedMatrix matrix{.type = stored.type, .shape = spec.shape.with(0, n), .quants = {}, .scales = {}};
  matrix.quants.resize(entries[0]->size / static_cast<size_t>(spec.shape[0]) * static_cast<size_t>(n));
  read_rows(file_, *entries[0], first, n, matrix.quants.data());
  if (entries.size() > 1) {
    matrix.scales.resize(static_cast<size_t>(scales_shape(matrix.shape).size()));
    read_rows(file_, *entries[1], first, n, matrix.scales.data());
  }
  return matrix;
}

std::vector<RawTensor> tensors_of(const std::string& name, const QuantizedMatrix& matrix) {
  std::vector<RawTensor> tensors = {
      {name, type_in_file(matrix.type), quants_shape(matrix.type, matrix.shape), matrix.quants}};
  if (has_scales(matrix.type)) {
    tensors.push_back({scale_name(name), "F16", scales_shape(matrix.shape), std::as_bytes(std::span(matrix.scales))});
  }
  return tensors;
}

}  // namespace tinyllm
