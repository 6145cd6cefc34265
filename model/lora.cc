#include <tinyllm/model/lora.h>

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {
namespace {

// The config with these adapters. Throws Error when it has adapters already, or these are not possible.
ModelConfig with(const ModelConfig& config, const Lora& lora) {
  if (config.lora.rank > 0) throw Error("lora: the model has adapters of rank {} already", config.lora.rank);
  if (lora.rank == 0) throw Error("lora: rank 0, expected 1 or more");
  ModelConfig adapted = config;
  adapted.lora = lora;
  check(adapted);
  return adapted;
}

// The config with the adapters that an adapter.json describes.
ModelConfig with_file(const ModelConfig& config, const std::filesystem::path& path) {
  const Json json = load_json_object(path);
  try {
    Lora lora;
    read_field(json, "rank", lora.rank);
    read_field(json, "alpha", lora.alpha);
    read_field(json, "targets", lora.targets);
    return with(config, lora);
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
}

// W [out, in] += scale B [out, r] A [r, in].
void add_product(std::span<float> w, std::span<const float> a, std::span<const float> b, int64_t rank, float scale) {
  const size_t r = static_cast<size_t>(rank);
  const size_t in = a.size() / r;
  for (size_t i = 0; i < w.size() / in; ++i) {
    for (size_t k = 0; k < r; ++k) {
      const float factor = scale * b[i * r + k];
      for (size_t j = 0; j < in; ++j) w[i * in + j] += factor * a[k * in + j];
    }
  }
}

}  // namespace

void add_lora(Model& model, const Lora& lora, uint64_t seed) {
  model.config = with(model.config, lora);
  init_weights(adapter_specs(model.config), seed, *model.weights);
}

void merge_lora(Model& model) {
  const Store& weights = *model.weights;
  const std::vector<WeightSpec> specs = adapter_specs(model.config);
  for (size_t i = 0; i < specs.size(); i += 2) {
    const std::string name = specs[i].name.substr(0, specs[i].name.rfind('.'));
    add_product(weights.at(name + ".weight").as<float>(), weights.at(specs[i].name).as<float>(),
                weights.at(specs[i + 1].name).as<float>(), model.config.lora.rank, model.config.lora.scale());
  }
  model.config.lora = {};
}

void save_lora(const Model& model, const std::filesystem::path& folder) {
  const Lora& lora = model.config.lora;
  make_folder(folder);
  check(model.config);
  const nlohmann::ordered_json json = {{"rank", lora.rank}, {"alpha", lora.alpha}, {"targets", lora.targets}};
  write_file(folder / kAdapterConfigFile, json.dump(2) + "\n");
  save_weights(model, adapter_specs(model.config), folder / kAdapterWeightsFile);
}

void load_lora(Model& model, const std::filesystem::path& folder) {
  const ModelConfig adapted = with_file(model.config, folder / kAdapterConfigFile);
  load_weights(model, adapter_specs(adapted), folder / kAdapterWeightsFile);
  model.config = adapted;
}

}  // namespace tinyllm
