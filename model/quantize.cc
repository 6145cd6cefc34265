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

void load_quantized(const Safetensors& file, const Store::Entry& entry, ThreadPool& pool) {
  const Safetensors::Entry& quants =
      file.at(entry.name, type_in_file(entry.dtype), quants_shape(entry.dtype, entry.shape));
  const std::byte* scales = nullptr;
  if (has_scales(entry.dtype)) {
    scales = file.at(scale_name(entry.name), "F16", scales_shape(entry.shape)).bytes.data();
  }
  try {
    pack_quantized(entry.dtype, entry.shape, quants.bytes.data(), scales, entry.data, pool);
  } catch (const Error& error) {
    throw Error("{}: {}: {}", file.path().string(), entry.name, error.what());
  }
}

void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, int threads,
                    const OnQuantized& on_progress) {
  if (model.config.types.quantized()) throw Error("quantize: the model is quantised already");
  if (model.config.lora.rank > 0) throw Error("quantize: the model has adapters, which are to be merged first");
  ModelConfig config = model.config;
  config.types = types;
  check(config);

  ThreadPool pool(threads);
  std::deque<QuantizedMatrix> matrices;  // What the entries point at.
  std::vector<Safetensors::Entry> entries;
  int64_t done = 0;
  for (const WeightSpec& spec : weight_specs(config)) {
    const std::span<const float> w = model.weights->at(spec.name).as<float>();
    if (!is_quantized(spec.dtype)) {
      entries.push_back({spec.name, "F32", spec.shape, std::as_bytes(w)});
    } else {
      try {
        matrices.push_back(quantize(spec.dtype, spec.shape, w.data(), pool));
      } catch (const Error& error) {
        throw Error("quantize: {}: {}", spec.name, error.what());
      }
      const QuantizedMatrix& matrix = matrices.back();
      entries.push_back({spec.name, type_in_file(spec.dtype), quants_shape(spec.dtype, spec.shape), matrix.quants});
      if (has_scales(spec.dtype)) {
        entries.push_back(
            {scale_name(spec.name), "F16", scales_shape(spec.shape), std::as_bytes(std::span(matrix.scales))});
      }
    }
    done += spec.shape.size();
    if (on_progress && !on_progress(done, parameter_count(config))) throw Error("stopped; nothing was written");
  }
  save_all_but_weights(config, model.tokenizer, folder);
  save_safetensors(folder / kWeightsFile, entries, {{"format", "pt"}});
}

}  // namespace tinyllm
