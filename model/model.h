#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/model/transformer.h>
#include <tinyllm/tensor/store.h>

#include <optional>

namespace tinyllm {

/// The files of a model folder, in the shape of Hugging Face.
inline constexpr const char* kConfigFile = "config.json";
inline constexpr const char* kWeightsFile = "model.safetensors";

/// A model in memory: sizes, weights, tokenizer.
struct Model {
  ModelConfig config;
  Tokenizer tokenizer;
  std::unique_ptr<Store> weights = std::make_unique<Store>();
};

/// Reads a folder, and the adapters that are in it. Throws Error that names the file and what is wrong: a file missing
/// or damaged, a tensor missing, unknown, or of another type or shape than the config says, a tokenizer of another
/// size.
Model load_model(const std::filesystem::path& folder);

/// Writes a folder, each file whole or not at all, the weights last. Throws Error when it cannot be written.
void save_model(const Model& model, const std::filesystem::path& folder);

/// What `save_model` writes but the weights: sizes and tokenizer. Where the model has no adapters, those in the folder
/// are of another one, and removed.
void save_all_but_weights(const ModelConfig& config, const Tokenizer& tokenizer, const std::filesystem::path& folder);

/// Removes the files of a model from a folder, the weights first, and the folder where nothing else is in it.
void remove_model(const std::filesystem::path& folder);

/// One file of weights, which holds exactly these. Reading adds them to the model's store.
void load_weights(Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path);
void save_weights(const Model& model, const std::vector<WeightSpec>& specs, const std::filesystem::path& path);

}  // namespace tinyllm
