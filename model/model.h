#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/store.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm {

/// The files of a model folder, named as in Hugging Face's.
inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kWeightsIndexFile = "model.safetensors.index.json";  ///< Where there are several.

struct HuggingFaceForm;

/// How the makers of a model sample from it, as far as its `generation_config.json` says.
struct SamplingDefaults {
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;
};

/// A model in memory: sizes, weights, tokenizer, and how a conversation is put into tokens.
/// Threads may share a model while none of them changes its config or weights: each opens its own Session.
struct Model {
  ModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<Store> weights = std::make_unique<Store>();
  std::shared_ptr<const ChatTemplate> chat_template = default_chat_template();
  /// If not empty, where the weights are: `save_model` writes the adapters alone and names it.
  std::filesystem::path base = {};
  SamplingDefaults sampling = {};
  /// The form in which `save_model` writes a model that came from elsewhere; null: our own.
  std::shared_ptr<const HuggingFaceForm> origin = {};
  std::vector<std::string> notes = {};  ///< What a user should know of how it was read, in sentences.
};

/// How a model is read.
struct LoadOptions {
  /// Weights become of this type, f32 or a packed one, while they are read: see `weight_types`. Empty: as in the files,
  /// f32 where that type is not one of ours.
  std::optional<Type> type = {};
  int64_t context = 0;          ///< The model sees at most this many tokens, which saves memory; 0: as many as it can.
  OnProgress on_progress = {};  ///< Counts weights. Reading throws Stopped when it returns false.
};

/// Reads a model: one of our folders, a folder from Hugging Face or ModelScope, both with the adapters in them, a GGUF
/// file, or a folder of adapters alone, with the model that they name.
/// Throws Error that names the file and what is wrong: a file that is missing or damaged; a tensor that is missing,
/// unknown, or has another type or shape than the config says; another tokenizer than the one in `config.json`; options
/// that do not fit the model. A model may come from a stranger: its weights are compared with the config before memory
/// is reserved, which is bounded by the size of the files.
Model load_model(const std::filesystem::path& path, const LoadOptions& options = {});

/// What a model reads and writes.
struct ModelText {
  std::shared_ptr<const Tokenizer> tokenizer;
  /// A Jinja template if the model has one, else ours if model and tokenizer were made here. Else the model has none,
  /// and rendering throws Error.
  std::shared_ptr<const ChatTemplate> chat_template;
};
/// Reads it of whatever `load_model` opens, without the weights. Throws Error that names a file that is missing or
/// damaged.
ModelText load_text(const std::filesystem::path& path);

/// Makes the token with which the chat template ends an answer an end token of a model that came from elsewhere, as
/// training on answers does for a base model: all its files name it when it is saved. Returns its text, or nothing when
/// it is one already or there is no chat template.
std::optional<std::string> take_answer_end(Model& model);

/// Writes a folder, each file whole or not at all, the weights last: in the form of `origin`, see hugging_face_form.h,
/// or in our own. Throws Error when it cannot be written.
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
