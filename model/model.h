#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/store.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tinyllm {

/// The files of a model folder, named as in Hugging Face's.
inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";
inline constexpr const char* kWeightsIndexFile =
    "model.safetensors.index.json";  ///< Lists the files if there are several.

struct HuggingFaceForm;

/// The sampling settings that a model's authors recommend in `generation_config.json`.
struct SamplingDefaults {
  std::optional<float> temperature, top_p, min_p, repetition_penalty;
  std::optional<int64_t> top_k;
};

/// A model in memory: sizes, weights, tokenizer and chat template. Threads may share a model while none of them changes
/// its config or weights. Each thread opens its own Session.
struct Model {
  ModelConfig config;
  std::shared_ptr<const Tokenizer> tokenizer;
  std::unique_ptr<Store> weights = std::make_unique<Store>();
  std::shared_ptr<const ChatTemplate> chat_template = default_chat_template();
  /// If not empty, the folder of the weights. `save_model` then writes only the adapters, and this path.
  std::filesystem::path base = {};
  SamplingDefaults sampling = {};
  /// The form in which `save_model` writes a model that came from elsewhere; null: our own form.
  std::shared_ptr<const HuggingFaceForm> origin = {};
  std::vector<std::string> notes = {};  ///< Sentences for the user about how it was read.
};

/// How a model is read.
struct LoadOptions {
  /// Converts weights to this type while it reads them: f32 or a packed type, see `weight_types`. Empty: keeps the type
  /// of the files, or uses f32 if that type is not supported.
  std::optional<Type> type = {};
  int64_t context = 0;          ///< Limits the context to this many tokens, which saves memory; 0: the model's own.
  OnProgress on_progress = {};  ///< Counts weights. Reading throws Stopped when it returns false.
  std::optional<ThreadPool> pool =
      {};  ///< Reads on it. None: on one of hardware_threads(), which ends with the reading.
};

/// Reads a model from one of our folders, a folder from Hugging Face or ModelScope, or a GGUF file. Adapters in the
/// folder are read too. A folder with only adapters is read with the model that they name. Throws Error that names the
/// file and what is wrong: a file that is missing or damaged; a tensor that is missing, unknown, or has another type or
/// shape than the config says; another tokenizer than the one in `config.json`; options that do not fit the model. A
/// model may come from a stranger: its weights are compared with the config before memory is reserved, so memory is
/// bounded by the size of the files.
Model load_model(const std::filesystem::path& path, const LoadOptions& options = {});

/// What a model needs to turn conversations into tokens, and back.
struct ModelText {
  std::shared_ptr<const Tokenizer> tokenizer;
  /// The model's Jinja template, else ours if model and tokenizer were made here. Otherwise the model has none, and
  /// `render` throws Error.
  std::shared_ptr<const ChatTemplate> chat_template;
};
/// Reads it from whatever `load_model` opens, without the weights. Throws Error that names a missing or damaged file.
ModelText load_text(const std::filesystem::path& path);

/// Adds the token with which the chat template ends an answer to the model's end tokens. A base model from elsewhere
/// needs this before it is trained on answers. All files of the saved model name the token. Returns its text, or
/// nothing if it was an end token already or there is no chat template.
std::optional<std::string> take_answer_end(Model& model);

/// Writes a folder in the form of `origin` (see hugging_face_form.h), or in our own. Each file is complete or not there
/// at all, and the weights come last. Throws Error when it cannot be written.
void save_model(const Model& model, const std::filesystem::path& folder);

/// Whether a folder has a complete model, or adapters, from `save_model`.
bool has_model(const std::filesystem::path& folder);

/// Writes what `save_model` writes except the weights: config and tokenizer. If the model has no adapters, adapters in
/// the folder belong to another model and are removed.
void save_all_but_weights(const ModelConfig& config, const Tokenizer& tokenizer, const std::filesystem::path& folder);

/// Removes the files of a model from a folder, the weights first. Removes the folder too if it is empty then.
void remove_model(const std::filesystem::path& folder);

/// Reads or writes one file with exactly these weights. Reading adds them to the model's store. Throws Error that names
/// the file and the tensor. The store is unchanged if a tensor is missing, unknown, or has another type or shape.
/// `pool` is as in LoadOptions.
void load_weights(Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path,
                  const std::optional<ThreadPool>& pool = {});
void save_weights(const Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path);

}  // namespace tinyllm
