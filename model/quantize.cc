#include <tinyllm/model/quantize.h>

#include <tinyllm/ops/quantized.h>

#include <deque>

namespace tinyllm {
namespace {

const char* type_in_file(DType dtype) { return dtype == bf16 ? "BF16" : dtype == q8_0 ? "I8" : "U8"; }

Shape quants_shape(DType dtype, const Shape& shape) { return shape.with(1, dtype == q4_0 ? shape[1] / 2 : shape[1]); }
Shape scales_shape(const Shape& shape) { return shape.with(1, shape[1] / kQuantBlock); }

}  // namespace

std::string scale_name(const std::string& name) { return name + "_scale"; }

std::vector<const Safetensors::Entry*> entries_of(const Safetensors& file, const WeightSpec& spec) {
  if (!is_quantized(spec.dtype)) return {&file.at(spec.name, "F32", spec.shape)};
  std::vector<const Safetensors::Entry*> entries = {
      &file.at(spec.name, type_in_file(spec.dtype), quants_shape(spec.dtype, spec.shape))};
  if (has_scales(spec.dtype)) entries.push_back(&file.at(scale_name(spec.name), "F16", scales_shape(spec.shape)));
  return entries;
}

void load_quantized(const Safetensors& file, const WeightSpec& spec, const Store::Entry& entry, ThreadPool& pool) {
  std::vector<std::vector<std::byte>> parts;  // Numbers, then scales.
  for (const Safetensors::Entry* part : entries_of(file, spec)) file.read(*part, parts.emplace_back(part->size));
  const std::byte* scales = parts.size() > 1 ? parts[1].data() : nullptr;
  try {
    pack_quantized(spec.dtype, spec.shape, parts[0].data(), scales, entry.data, pool);
  } catch (const Error& error) {
    throw Error("{}: {}: {}", file.path().string(), entry.name, error.what());
  }
}

void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, int threads,
                    const OnQuantized& on_progress) {
  if (model.config.types.quantized()) throw Error("quantize: the model is quantised already");
  if (model.config.lora.rank > 0) throw Error("quantize: the model has adapters; merge them first");
  ModelConfig config = model.config;
  config.types = types;
  check(config);

  ThreadPool pool(threads);
  std::deque<QuantizedMatrix> matrices;  // What the tensors point at.
  std::vector<RawTensor> tensors;
  const int64_t total = parameter_count(config);
  int64_t done = 0;
  for (const WeightSpec& spec : weight_specs(config)) {
    const std::span<const float> w = model.weights->at(spec.name).as<float>();
    if (!is_quantized(spec.dtype)) {
      tensors.push_back({spec.name, "F32", spec.shape, std::as_bytes(w)});
    } else {
      try {
        matrices.push_back(quantize(spec.dtype, spec.shape, w.data(), pool));
      } catch (const Error& error) {
        throw Error("quantize: {}: {}", spec.name, error.what());
      }
      const QuantizedMatrix& matrix = matrices.back();
      tensors.push_back({spec.name, type_in_file(spec.dtype), quants_shape(spec.dtype, spec.shape), matrix.quants});
      if (has_scales(spec.dtype)) {
        tensors.push_back(
            {scale_name(spec.name), "F16", scales_shape(spec.shape), std::as_bytes(std::span(matrix.scales))});
      }
    }
    done += spec.shape.size();
    if (on_progress && !on_progress(done, total)) throw Error("stopped; nothing was written");
  }
  save_all_but_weights(config, *model.tokenizer, folder);
  save_safetensors(folder / kWeightsFile, tensors, {{"format", "pt"}});
}

}  // namespace tinyllm
