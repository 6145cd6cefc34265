#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/store.h>

#include <optional>

namespace tinyllm {

/// The files of a model folder, named as in Hugging Face's.
inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";

/// A model in memory: sizes, weights, tokenizer, and how a conversation is put into tokens.
/// Threads may share a model while none of them changes its config or weights: each opens its own Session.
struct Model {
  ModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<Store> weights = std::make_unique<Store>();
  std::shared_ptr<const ChatTemplate> chat_template = default_chat_template();
  /// If not empty, where the weights are: `save_model` writes the adapters alone and names it.
  std::filesystem::path base = {};
};

/// Reads a folder with the adapters in it, or one of adapters alone, with the model that they name. Throws Error that
/// names the file and what is wrong: a file that is missing or damaged; a tensor that is missing, unknown, or has
/// another type or shape than the config says; another tokenizer than the one in `config.json`. A folder may come from
/// a stranger: its weights are compared with the config before memory is reserved, which is bounded by the size of the
/// files.
Model load_model(const std::filesystem::path& folder);

/// The chat template of a model folder: a Jinja template if it has one, else ours if the folder was written here. Else
/// the model has none, and rendering throws Error. Reads no weights. Throws Error that names a damaged file.
std::shared_ptr<const ChatTemplate> load_chat_template(const std::filesystem::path& folder);

/// Writes a folder, each file whole or not at all, the weights last. Throws Error when it cannot be written.
void save_model(const Model& model, const std::filesystem::path& folder);

/// Whether `save_model` has written a whole model, or adapters, to a folder.
bool has_model(const std::filesystem::path& folder);

/// Writes what `save_model` writes except the weights: sizes and tokenizer. If the model has no adapters, adapters in
/// the folder belong to another model and are removed.
void save_all_but_weights(const ModelConfig& config, const Tokenizer& tokenizer, const std::filesystem::path& folder);

/// Removes the files of a model from a folder, the weights first, and the folder if nothing else is in it.
void remove_model(const std::filesystem::path& folder);

/// One file of weights, which holds exactly these. Reading adds them to the model's store. Throws Error that names the
/// file and the tensor, before the store is changed when a tensor is missing, unknown or of another type or shape.
void load_weights(Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path);
void save_weights(const Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path);

}  // namespace tinyllm
