#include <tinyllm/model/model.h>

#include <tinyllm/model/safetensors.h>
#include <tinyllm/model/transformer.h>

#include <set>

namespace tinyllm {
namespace {

void read_weights(const std::filesystem::path& path, const ModelConfig& config, Store& store) {
  const Safetensors file(path);
  const std::vector<WeightSpec> specs = weight_specs(config);
  std::set<std::string_view> known;
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) {
    known.insert(spec.name);
    wanted.push_back({spec.name, f32, spec.shape});
  }
  for (const Safetensors::Entry& entry : file.entries()) {
    if (!known.contains(entry.name)) throw Error("{}: {} is no weight of this model", path.string(), entry.name);
  }
  store.add(wanted);
  for (const WeightSpec& spec : specs) file.read(spec.name, spec.shape, store.at(spec.name).as<float>());
}

}  // namespace

Model load_model(const std::filesystem::path& folder) {
  if (!std::filesystem::is_directory(folder)) throw Error("{}: there is no such model folder", folder.string());
  const ModelConfig config = load_config(folder / kConfigFile);
  Model model{config, Tokenizer::load(folder / kTokenizerFile)};
  if (model.tokenizer.size() != config.vocab_size) {
    throw Error("{}: the tokenizer has {} tokens, expected {} as in {}", (folder / kTokenizerFile).string(),
                model.tokenizer.size(), config.vocab_size, kConfigFile);
  }
  read_weights(folder / kWeightsFile, config, *model.weights);
  return model;
}

void save_model(const Model& model, const std::filesystem::path& folder) {
  make_folder(folder);
  save_config(model.config, folder / kConfigFile);
  model.tokenizer.save(folder / kTokenizerFile);
  std::vector<NamedTensor> tensors;
  for (const WeightSpec& spec : weight_specs(model.config)) {
    tensors.push_back({spec.name, f32, spec.shape, model.weights->at(spec.name).data});
  }
  save_safetensors(folder / kWeightsFile, tensors, {{"format", "pt"}});
}

}  // namespace tinyllm
