#include <tinyllm/model/quantize.h>

#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/quantized.h>

#include <deque>

namespace tinyllm {
namespace {

const char* type_in_file(Type type) { return type == packed_bf16 ? "BF16" : type == q8_0 ? "I8" : "U8"; }

Shape quants_shape(Type type, const Shape& shape) { return shape.with(1, type == q4_0 ? shape[1] / 2 : shape[1]); }
Shape scales_shape(const Shape& shape) { return shape.with(1, shape[1] / kernels::kQuantBlock); }

std::vector<std::byte> read_bytes(const Safetensors& file, const Safetensors::Entry& entry) {
  std::vector<std::byte> bytes(entry.size);
  file.read(entry, bytes);
  return bytes;
}

template <class T>
void load_narrow(const Safetensors& file, const Safetensors::Entry& from, std::span<float> to) {
  std::vector<T> values(to.size());
  file.read(from, std::as_writable_bytes(std::span(values)));
  convert(values, to);
}

void load_floats(const Safetensors& file, const Safetensors::Entry& from, std::span<float> to) {
  if (from.element_type() == f16) return load_narrow<Half>(file, from, to);
  if (from.element_type() == bf16) return load_narrow<BFloat16>(file, from, to);
  file.read(from, std::as_writable_bytes(to));
}

}  // namespace

std::string scale_name(const std::string& name) { return name + "_scale"; }

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

void load_weight(const Safetensors& file, const WeightSpec& spec, const Store::Entry& entry, ThreadPool& pool) {
  const std::vector<const Safetensors::Entry*> parts = entries_of(file, spec);
  if (!spec.type.is_packed()) return load_floats(file, *parts[0], entry.as<float>());
  const std::vector<std::byte> quants = read_bytes(file, *parts[0]);
  const std::vector<std::byte> scales = parts.size() > 1 ? read_bytes(file, *parts[1]) : std::vector<std::byte>();
  try {
    pack_quantized(spec.type, spec.shape, quants.data(), scales.data(), entry.data, pool);
  } catch (const Error& error) {
    throw Error("{}: {}: {}", file.path().string(), entry.name, error.what());
  }
}

void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, ThreadPool pool,
                    const OnProgress& on_progress) {
  if (model.config.types.quantized()) throw Error("quantize: the model is quantised already");
  if (model.config.lora.rank > 0) throw Error("quantize: the model has adapters; merge them first");
  ModelConfig config = model.config;
  config.types = types;
  check(config);

  std::deque<QuantizedMatrix> matrices;  // What the tensors point at.
  std::vector<RawTensor> tensors;
  const int64_t total = parameter_count(config);
  int64_t done = 0;
  for (const WeightSpec& spec : weight_specs(config)) {
    const std::span<const float> w = model.weights->at(spec.name).as<float>();
    if (!spec.type.is_packed()) {
      tensors.push_back({spec.name, "F32", spec.shape, std::as_bytes(w)});
    } else {
      try {
        matrices.push_back(quantize(spec.type, spec.shape, w.data(), pool));
      } catch (const Error& error) {
        throw Error("quantize: {}: {}", spec.name, error.what());
      }
      const QuantizedMatrix& matrix = matrices.back();
      tensors.push_back({spec.name, type_in_file(spec.type), quants_shape(spec.type, spec.shape), matrix.quants});
      if (has_scales(spec.type)) {
        tensors.push_back(
            {scale_name(spec.name), "F16", scales_shape(spec.shape), std::as_bytes(std::span(matrix.scales))});
      }
    }
    done += spec.shape.size();
    report(on_progress, {.done = done, .total = total});
  }
  save_all_but_weights(config, *model.tokenizer, folder);
  save_safetensors(folder / kWeightsFile, tensors, {{"format", "pt"}});
}

}  // namespace tinyllm
