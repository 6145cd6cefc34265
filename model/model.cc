#include <tinyllm/model/model.h>

#include <tinyllm/model/config_json.h>
#include <tinyllm/model/generation_config.h>
#include <tinyllm/model/gguf_model.h>
#include <tinyllm/model/hugging_face.h>
#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/model/load.h>
#include <tinyllm/model/lora.h>
#include <tinyllm/model/own_weights.h>
#include <tinyllm/model/text/hf/config_tokens.h>
#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/model/text/jinja_chat_template.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>
#include <tinyllm/model/text/spm/spm_tokenizer.h>
#include <tinyllm/model/weights.h>
#include <tinyllm/tensor/formats/safetensors.h>

#include <tinyllm/tensor/base/file.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {
namespace {

void check_hash(const Tokenizer& tokenizer, const std::filesystem::path& folder) {
  const std::optional<uint64_t> recorded = load_tokenizer_hash(folder / kConfigFile);
  if (recorded && *recorded != tokenizer.hash()) {
    throw Error(
        "{}: is not the tokenizer that this model was trained with: its hash is {:016x}, expected {:016x} as in {}",
        (folder / kTokenizerFile).string(), tokenizer.hash(), *recorded, kConfigFile);
  }
}

Model load_own(const std::filesystem::path& folder, const LoadOptions& options) {
  const ModelConfig config = load_config(folder / kConfigFile);
  ModelText text = load_text(folder);
  check_hash(*text.tokenizer, folder);
  const Safetensors file(folder / kWeightsFile);
  check_fit(config, *text.tokenizer, std::ssize(file.entries()), folder);
  return load_parts(config, std::move(text), OwnWeights(file, weight_specs(config)), options);
}

// Throws Error when nothing is there.
bool is_gguf(const std::filesystem::path& path) {
  if (is_folder(path)) return false;
  if (is_there(path)) return true;
  throw Error("{}: there is no such model folder or GGUF file", path.string());
}

bool has_adapters_alone(const std::filesystem::path& folder) {
  return !is_there(folder / kConfigFile) && has_adapters(folder);
}

std::filesystem::path base_of(const std::filesystem::path& folder) {
  std::filesystem::path base = adapter_base(folder);
  if (has_adapters_alone(base)) {
    throw Error("{}: base_model_name_or_path: {} is a folder of adapters too, expected a model", folder.string(),
                base.string());
  }
  return base;
}

// A folder with only adapters is read with the model that they name.
Model load_adapted(const std::filesystem::path& folder, const LoadOptions& options) {
  const std::filesystem::path base = base_of(folder);
  Model model = load_model(base, options);
  model.base = absolute_path(base);
  load_lora(model, folder, options.pool);
  return model;
}

// The files of a base model may name none.
bool has_end_tokens(const Tokenizer& tokenizer) {
  try {
    return !tokenizer.end_tokens().empty();
  } catch (const Error&) {
    return false;
  }
}

void save_adapters(const Model& model, const std::filesystem::path& folder) {
  if (model.config.lora.rank > 0) {
    save_lora(model, folder);
  } else {
    remove_adapters(folder);
  }
}

}  // namespace

void load_weights(Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path,
                  const std::optional<ThreadPool>& pool) {
  const Safetensors file(path);
  ThreadPool threads = given_or_new(pool);
  load_weights(OwnWeights(file, specs), specs, threads, *model.weights);
}

void save_weights(const Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path) {
  std::vector<NamedTensor> tensors;
  for (const WeightSpec& spec : specs) {
    tensors.push_back({spec.name, f32, spec.shape, model.weights->at(spec.name).as<float>().data()});
  }
  save_safetensors(path, tensors, {{"format", "pt"}});
}

ModelText load_text(const std::filesystem::path& path) {
  if (is_gguf(path)) return load_gguf_text(path);
  if (has_adapters_alone(path)) return load_text(base_of(path));
  // A model with a foreign tokenizer came from elsewhere, and has not learned our template.
  const bool is_ours = is_own_config(path / kConfigFile) && !is_there(path / kHfTokenizerFile);
  ModelText text{load_tokenizer(path), default_chat_template()};
  if (auto found = load_jinja_chat_template(path)) {
    text.chat_template = std::make_shared<JinjaChatTemplate>(*std::move(found));
  } else if (!is_ours) {
    text.chat_template = template_of(path);
  }
  return text;
}

Model load_model(const std::filesystem::path& path, const LoadOptions& options) {
  if (is_gguf(path)) return load_gguf(path, options);
  if (has_adapters_alone(path)) return load_adapted(path, options);
  Model model = is_own_config(path / kConfigFile) ? load_own(path, options) : load_hugging_face(path, options);
  model.sampling = sampling_defaults(path);
  if (has_adapters(path)) load_lora(model, path, options.pool);
  return model;
}

void save_all_but_weights(const ModelConfig& config, const Tokenizer& tokenizer, const std::filesystem::path& folder) {
  make_folder(folder);
  save_config(config, folder / kConfigFile, tokenizer.hash(), tokenizer.end_tokens());
  tokenizer.save(folder);
  if (config.lora.rank == 0) remove_adapters(folder);
}

void save_model(const Model& model, const std::filesystem::path& folder) {
  if (!model.base.empty() && model.config.lora.rank > 0) {
    // If these files stayed, the folder would be read as that other model.
    remove_weights(folder);
    remove_file(folder / kConfigFile);
    return save_lora(model, folder);
  }
  if (model.origin) {
    save_hugging_face(model, *model.origin, folder);
    save_adapters(model, folder);
    return;
  }
  save_all_but_weights(model.config, *model.tokenizer, folder);
  save_adapters(model, folder);
  save_weights(model, weight_specs(model.config), folder / kWeightsFile);
}

std::optional<std::string> take_answer_end(Model& model) {
  const auto* hf = dynamic_cast<const HfTokenizer*>(model.tokenizer.get());
  const auto* spm = dynamic_cast<const SpmTokenizer*>(model.tokenizer.get());
  if (!model.origin || (hf == nullptr && spm == nullptr)) return {};
  std::optional<int32_t> end;
  try {
    end = answer_end(*model.tokenizer, *model.chat_template);
  } catch (const Error&) {  // The template cannot render the shortest chat, so its end token is unknown.
  }
  if (!end || (has_end_tokens(*model.tokenizer) && model.tokenizer->is_end(*end))) return {};
  HuggingFaceForm form = *model.origin;
  form.config = with_end_token(form.config, *end);
  model.origin = std::make_shared<const HuggingFaceForm>(std::move(form));
  std::string text(model.tokenizer->piece(*end));
  if (hf != nullptr) {
    model.tokenizer = std::make_shared<const HfTokenizer>(hf->with_end(*end));
  } else {
    model.tokenizer = std::make_shared<const SpmTokenizer>(spm->with_end(*end));
  }
  return text;
}

bool has_model(const std::filesystem::path& folder) {
  return is_there(folder / kWeightsFile) || is_there(folder / kWeightsIndexFile) ||
         is_there(folder / kAdapterWeightsFile);
}

void remove_model(const std::filesystem::path& folder) {
  remove_weights(folder);
  for (const auto& [name, bytes] : side_files(folder)) remove_file(folder / name);
  for (const char* file : {kConfigFile, kHfTokenizerFile, kTokenizerFile}) remove_file(folder / file);
  remove_adapters(folder);
  std::error_code has_more;
  std::filesystem::remove(folder, has_more);
}

}  // namespace tinyllm
