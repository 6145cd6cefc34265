#pragma once

#include <tinyllm/model/model.h>

namespace tinyllm {

/// The files of adapters, in the folder of their model or in a separate folder.
inline constexpr const char* kAdapterConfigFile = "adapter.json";
inline constexpr const char* kAdapterWeightsFile = "adapter.safetensors";

/// Adds adapters to a model, drawn from the seed. Until they are trained they do not change the model's results.
/// Throws Error when the model has adapters already, or a field of `lora` is out of range.
void add_lora(Model& model, const Lora& lora, uint64_t seed);

/// Adds the adapters to the matrices, W += (alpha / rank) B A. The model has no adapters afterwards.
void merge_lora(Model& model);

/// Writes only the adapters, each file whole or not at all. Throws Error when that fails.
void save_lora(const Model& model, const std::filesystem::path& folder);
/// Reads adapters and adds them to a model. Throws Error that names the file, and the field or the tensor that does not
/// fit the model. The model is unchanged then.
void load_lora(Model& model, const std::filesystem::path& folder);

}  // namespace tinyllm
