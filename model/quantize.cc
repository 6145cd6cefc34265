#include <tinyllm/model/quantize.h>

#include <tinyllm/model/own_weights.h>
#include <tinyllm/ops/quantized.h>

#include <deque>

namespace tinyllm {

void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, ThreadPool pool,
                    const OnProgress& on_progress) {
  for (const Type type : {model.config.types.matrices, model.config.types.tables}) {
    if (type.is_packed() && has_scales(type)) throw Error("quantize: the model is quantised already");
  }
  if (model.config.lora.rank > 0) throw Error("quantize: the model has adapters; merge them first");
  ModelConfig config = model.config;
  config.types = types;
  check(config);

  std::deque<QuantizedMatrix> matrices;  // Storage that the tensors point to.
  std::deque<std::vector<float>> numbers;
  std::vector<RawTensor> tensors;
  const int64_t total = parameter_count(config);
  int64_t done = 0;
  for (const WeightSpec& spec : weight_specs(config)) {
    std::vector<float>& w = numbers.emplace_back(static_cast<size_t>(spec.shape.size()));
    read_rows(model.weights->at(spec.name), 0, w);
    if (!spec.type.is_packed()) {
      tensors.push_back({spec.name, "F32", spec.shape, std::as_bytes(std::span<const float>(w))});
    } else {
      try {
        matrices.push_back(quantize(spec.type, spec.shape, w.data(), pool));
      } catch (const Error& error) {
        throw Error("quantize: {}: {}", spec.name, error.what());
      }
      for (RawTensor& tensor : tensors_of(spec.name, matrices.back())) tensors.push_back(std::move(tensor));
    }
    if (spec.type.is_packed()) numbers.pop_back();
    done += spec.shape.size();
    report(on_progress, {.done = done, .total = total});
  }
  save_all_but_weights(config, *model.tokenizer, folder);
  save_safetensors(folder / kWeightsFile, tensors, {{"format", "pt"}});
}

}  // namespace tinyllm
