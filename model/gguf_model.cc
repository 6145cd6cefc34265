#include <tinyllm/model/gguf_model.h>

#include <tinyllm/model/formats/gguf/config.h>
#include <tinyllm/model/formats/gguf/tokenizer_json.h>
#include <tinyllm/model/gguf_weights.h>
#include <tinyllm/model/hugging_face_config.h>
#include <tinyllm/model/hugging_face_form.h>
#include <tinyllm/model/load.h>
#include <tinyllm/model/own_form.h>
#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/model/text/sentencepiece_tokenizer.h>

namespace tinyllm {
namespace {

// From the config and text files that a Hugging Face folder of this model would have.
ModelText text_of(const Gguf& file, const Json& config, const GgufTokenizer& tokenizer) {
  const auto architecture = file.metadata().get<std::string_view>("general.architecture");
  std::optional<ModelFiles> files;
  try {
    files.emplace(file.path(), std::map<std::string, std::string>{
                                   {kConfigFile, config.dump()},
                                   {kHfTokenizerFile, tokenizer_json(tokenizer, architecture).dump()},
                                   {"tokenizer_config.json", tokenizer_config_json(tokenizer).dump()}});
  } catch (const Error& error) {
    throw Error("{}: {}", file.path().string(), error.what());
  }
  return {std::make_shared<const HfTokenizer>(HfTokenizer::load(*files)), template_of(*files)};
}

// The type that a Hugging Face folder would use for the matrices without loss.
DType type_of_matrices(const Gguf& file) {
  std::optional<GgufType> common;
  for (const Gguf::Tensor& tensor : file.tensors()) {
    if (tensor.shape.rank() == 2)
      common = common.value_or(tensor.type->type) == tensor.type->type ? tensor.type->type : GgufType::F32;
  }
  return common == GgufType::F16 ? f16 : common == GgufType::BF16 ? bf16 : f32;
}

// Other programs ignore biases that the first models of a family did not have.
void check_biases(const ModelConfig& c, const Json& config) {
  const std::string family = text(config, "model_type");
  const bool is_llama = family == "llama" || family == "mistral";
  if (is_llama || (!c.ffn_bias && !c.o_bias && (!c.qkv_bias || family == "qwen2"))) return;
  throw Error("GGUF: readers of {} models ignore the biases that this model has", family);
}

// The tokenizer with its chat template.
GgufTokenizer export_tokenizer(const Model& model, const Json& config) {
  if (model.chat_template == default_chat_template()) return own_gguf_tokenizer(model);
  std::map<std::string, std::string> files = model.tokenizer->files();
  const auto json_of = [&](const char* name) {
    const auto found = files.find(name);
    return found == files.end() ? Json(Json::object()) : parse_json_object(found->second, name);
  };
  Json tokenizer_config = json_of("tokenizer_config.json");
  // As in transformers, the file takes precedence over the field.
  if (files.contains("chat_template.jinja")) tokenizer_config["chat_template"] = files.at("chat_template.jinja");
  if (files.contains(kHfTokenizerFile)) return gguf_tokenizer(json_of(kHfTokenizerFile), tokenizer_config, config);
  const SentencePieceFile file = read_sentencepiece_file(files.at(kTokenizerFile), kTokenizerFile);
  if (file.model != SentencePieceFile::Model::bpe || !file.characters_map.empty() || file.remove_extra_blanks) {
    throw Error("GGUF: the tokenizer must be byte pair encoding without normalisation, as readers expect");
  }
  GgufTokenizer tokenizer = gguf_tokenizer(file.pieces, model.config.vocab_size);
  tokenizer.add_space_prefix = file.add_dummy_prefix;
  tokenizer.add_bos = !model.tokenizer->before_text().empty();
  add_tokenizer_config(tokenizer_config, config, tokenizer);
  return tokenizer;
}

}  // namespace

ModelText load_gguf_text(const std::filesystem::path& path) {
  const Gguf file(path);
  return text_of(file, gguf_config(file), read_gguf_tokenizer(file));
}

Model load_gguf(const std::filesystem::path& path, const LoadOptions& options) {
  const Gguf file(path);
  const Json json = gguf_config(file);
  const GgufTokenizer tokenizer = read_gguf_tokenizer(file);
  ModelConfig config;
  try {
    config = config_from_hugging_face(json);
  } catch (const Error& error) {
    throw Error("{}: {}", path.string(), error.what());
  }
  ModelText text = text_of(file, json, tokenizer);
  check_fit(config, *text.tokenizer, std::ssize(file.tensors()), path);
  const Family& family = family_of(json.at("model_type").get<std::string>());
  Model model = load_parts(config, std::move(text), GgufWeights(file, family), options);
  model.origin = std::make_shared<HuggingFaceForm>(form_of(json.dump(2) + "\n", type_of_matrices(file), model.config));
  if (std::string doubt = gguf_tokenizer_doubt(tokenizer); !doubt.empty()) model.notes.push_back(std::move(doubt));
  return model;
}

std::vector<std::string> save_gguf(const Model& model, const GgufTypes& types, const std::filesystem::path& path,
                                   ThreadPool& pool, const OnProgress& on_progress) {
  if (model.config.lora.rank > 0) throw Error("{}: the model has adapters; merge them first", path.string());
  Json config = parse_json(hugging_face_config(model.config).dump(), kConfigFile);
  check_biases(model.config, config);
  const std::span<const int32_t> ends = model.tokenizer->end_tokens(), begin = model.tokenizer->before_text();
  config["eos_token_id"] = std::vector<int32_t>(ends.begin(), ends.end());
  if (!begin.empty()) config["bos_token_id"] = begin.front();
  GgufWriter writer;
  add_gguf_config(config, writer);
  writer.add("general.name", path.stem().string());
  add_gguf_tokenizer(export_tokenizer(model, config), writer);
  const auto row = [&](const WeightSpec& spec, int64_t index, std::span<float> out) {
    read_rows(model.weights->at(spec.name), index, out);
  };
  add_gguf_weights(weight_specs(model.config), family_of(text(config, "model_type")), types, row, writer);
  writer.save(path, pool, on_progress);
  return gguf_losses(config);
}

GgufTypes gguf_types(const Model& model) {
  const auto kept = [&](Type type) {
    if (type == q8_0) return GgufType::Q8_0;
    if (type == q4_0) return GgufType::Q4_0;
    if (type == packed_bf16) return GgufType::BF16;
    return model.origin && main_type(*model.origin) == f16 ? GgufType::F16 : GgufType::F32;
  };
  return {kept(model.config.types.matrices), kept(model.config.types.tables)};
}

}  // namespace tinyllm
