#include <tinyllm/model/model.h>

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/quantize.h>
#include <tinyllm/model/weights.h>

#include <set>

namespace tinyllm {

void load_weights(Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path) {
  const Safetensors file(path);
  std::set<std::string> known;
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) {
    known.insert(spec.name);
    if (has_scales(spec.dtype)) known.insert(scale_name(spec.name));
    wanted.push_back({spec.name, spec.dtype, spec.shape});
  }
  for (const Safetensors::Entry& entry : file.entries()) {
    if (!known.contains(entry.name)) throw Error("{}: {} is no weight of this model", path.string(), entry.name);
  }
  model.weights->add(wanted);
  ThreadPool pool(hardware_threads());
  for (const WeightSpec& spec : specs) {
    const Store::Entry& entry = model.weights->at(spec.name);
    if (is_quantized(spec.dtype)) {
      load_quantized(file, entry, pool);
    } else {
      file.read(spec.name, spec.shape, entry.as<float>());
    }
  }
}

void save_weights(const Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path) {
  std::vector<NamedTensor> tensors;
  for (const WeightSpec& spec : specs) {
    tensors.push_back({spec.name, f32, spec.shape, model.weights->at(spec.name).as<float>().data()});
  }
  save_safetensors(path, tensors, {{"format", "pt"}});
}

Model load_model(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) throw Error("{}: there is no such model folder", folder.string());
  const ModelConfig config = load_config(folder / kConfigFile);
  Model model{config, Tokenizer::load(folder / kTokenizerFile)};
  if (model.tokenizer.size() != config.vocab_size) {
    throw Error("{}: the tokenizer has {} tokens, expected {} as in {}", (folder / kTokenizerFile).string(),
                model.tokenizer.size(), config.vocab_size, kConfigFile);
  }
  load_weights(model, weight_specs(config), folder / kWeightsFile);
  if (std::filesystem::exists(folder / kAdapterConfigFile)) load_lora(model, folder);
  return model;
}

void save_all_but_weights(const ModelConfig& config, const Tokenizer& tokenizer, const std::filesystem::path& folder) {
  make_folder(folder);
  save_config(config, folder / kConfigFile);
  tokenizer.save(folder / kTokenizerFile);
  if (config.lora.rank > 0) return;
  std::filesystem::remove(folder / kAdapterConfigFile);
  std::filesystem::remove(folder / kAdapterWeightsFile);
}

void save_model(const Model& model, const std::filesystem::path& folder) {
  save_all_but_weights(model.config, model.tokenizer, folder);
  if (model.config.lora.rank > 0) save_lora(model, folder);
  save_weights(model, weight_specs(model.config), folder / kWeightsFile);
}

void remove_model(const std::filesystem::path& folder) {
  for (const char* file : {kWeightsFile, kConfigFile, kTokenizerFile, kAdapterConfigFile, kAdapterWeightsFile}) {
    std::filesystem::remove(folder / file);
  }
  std::error_code has_more;
  std::filesystem::remove(folder, has_more);
}

}  // namespace tinyllm
