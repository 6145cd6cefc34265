#include <tinyllm/model/model.h>

#include <tinyllm/model/config_json.h>
#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/hugging_face.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/quantize.h>
#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/weights.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

#include <unordered_set>

namespace tinyllm {
namespace {

// Throws Error when the file lacks one of the weights, has it in another type or shape, or has more than these.
void check_entries(const Safetensors& file, const std::vector<WeightSpec>& specs) {
  std::unordered_set<std::string_view> known;
  for (const WeightSpec& spec : specs) {
    for (const Safetensors::Entry* entry : entries_of(file, spec)) known.insert(entry->name);
  }
  for (const Safetensors::Entry& entry : file.entries()) {
    if (!known.contains(entry.name)) {
      throw Error("{}: {} is not a weight of this model", file.path().string(), short_name(entry.name));
    }
  }
}

// Memory is reserved when the file is known to have what will be in it.
void load_weights(Model& model, const std::vector<WeightSpec>& specs, const Safetensors& file) {
  check_entries(file, specs);
  std::vector<Store::Wanted> wanted;
  for (const WeightSpec& spec : specs) wanted.push_back({spec.name, spec.type, spec.shape});
  model.weights->add(wanted);
  ThreadPool pool(hardware_threads());
  for (const WeightSpec& spec : specs) {
    load_weight(file, spec, model.weights->at(spec.name), pool);
  }
}

// A config may claim any number of layers: it is compared with the file before a name is made for each.
void check_layers(const ModelConfig& config, const Safetensors& file) {
  if (config.n_layers > std::ssize(file.entries())) {
    throw Error("{}: holds {} tensors, too few for the {} layers in {}", file.path().string(), file.entries().size(),
                config.n_layers, kConfigFile);
  }
}

void check_tokenizer(const Tokenizer& tokenizer, const ModelConfig& config, const std::filesystem::path& folder) {
  // A vocabulary may have rows that no token uses, but not the other way round.
  if (tokenizer.size() > config.vocab_size) {
    throw Error("{}: the tokenizer has {} tokens, expected at most {}, the vocab_size in {}", folder.string(),
                tokenizer.size(), config.vocab_size, kConfigFile);
  }
  const std::optional<uint64_t> recorded = load_tokenizer_hash(folder / kConfigFile);
  if (recorded && *recorded != tokenizer.hash()) {
    throw Error(
        "{}: is not the tokenizer that this model was trained with: its hash is {:016x}, expected {:016x} as in {}",
        (folder / kTokenizerFile).string(), tokenizer.hash(), *recorded, kConfigFile);
  }
}

// Adapters alone: with the model that they name.
Model load_adapted(const std::filesystem::path& folder) {
  const std::filesystem::path base = adapter_base(folder);
  if (!is_there(base / kConfigFile) && has_adapters(base)) {
    throw Error("{}: base_model_name_or_path: {} is a folder of adapters too, expected a model", folder.string(),
                base.string());
  }
  Model model = load_model(base);
  model.base = std::filesystem::absolute(base).lexically_normal();
  load_lora(model, folder);
  return model;
}

// A base model continues texts, and has no form of conversation.
class NoChatTemplate final : public ChatTemplate {
 public:
  explicit NoChatTemplate(std::string folder) : folder_(std::move(folder)) {}
  std::vector<Piece> render(const Messages&, const RenderOptions&) const override {
    throw Error("{}: the model has no chat template: it continues texts, but does not hold conversations", folder_);
  }

 private:
  std::string folder_;
};

}  // namespace

void load_weights(Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path) {
  load_weights(model, specs, Safetensors(path));
}

void save_weights(const Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path) {
  std::vector<NamedTensor> tensors;
  for (const WeightSpec& spec : specs) {
    tensors.push_back({spec.name, f32, spec.shape, model.weights->at(spec.name).as<float>().data()});
  }
  save_safetensors(path, tensors, {{"format", "pt"}});
}

std::shared_ptr<const ChatTemplate> load_chat_template(const std::filesystem::path& folder) {
  if (auto found = load_jinja_chat_template(folder)) return std::make_shared<JinjaChatTemplate>(*std::move(found));
  if (is_own_config(folder / kConfigFile)) return default_chat_template();
  return std::make_shared<NoChatTemplate>(folder.string());
}

Model load_model(const std::filesystem::path& folder) {
  std::error_code ignored;
  if (!std::filesystem::is_directory(folder, ignored)) {
    throw Error("{}: there is no such model folder", folder.string());
  }
  if (!is_there(folder / kConfigFile) && has_adapters(folder)) return load_adapted(folder);
  if (!is_own_config(folder / kConfigFile)) {
    Model model = load_hugging_face(folder);
    if (has_adapters(folder)) load_lora(model, folder);
    return model;
  }
  const ModelConfig config = load_config(folder / kConfigFile);
  Model model{config, load_tokenizer(folder)};
  check_tokenizer(*model.tokenizer, config, folder);
  model.chat_template = load_chat_template(folder);
  const Safetensors weights(folder / kWeightsFile);
  check_layers(config, weights);
  load_weights(model, weight_specs(config), weights);
  if (has_adapters(folder)) load_lora(model, folder);
  return model;
}

void save_all_but_weights(const ModelConfig& config, const Tokenizer& tokenizer, const std::filesystem::path& folder) {
  make_folder(folder);
  save_config(config, folder / kConfigFile, tokenizer.hash());
  tokenizer.save(folder);
  if (config.lora.rank > 0) return;
  remove_adapters(folder);
}

void save_model(const Model& model, const std::filesystem::path& folder) {
  if (!model.base.empty() && model.config.lora.rank > 0) {
    // A folder with these would be read as that model.
    for (const char* file : {kWeightsFile, kConfigFile}) remove_file(folder / file);
    return save_lora(model, folder);
  }
  save_all_but_weights(model.config, *model.tokenizer, folder);
  if (model.config.lora.rank > 0) save_lora(model, folder);
  save_weights(model, weight_specs(model.config), folder / kWeightsFile);
}

bool has_model(const std::filesystem::path& folder) {
  return is_there(folder / kWeightsFile) || is_there(folder / kAdapterWeightsFile);
}

void remove_model(const std::filesystem::path& folder) {
  for (const char* file : {kWeightsFile, kConfigFile, kTokenizerFile}) remove_file(folder / file);
  remove_adapters(folder);
  std::error_code has_more;
  std::filesystem::remove(folder, has_more);
}

}  // namespace tinyllm
