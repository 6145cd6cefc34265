#pragma once

#include <tinyllm/model/model.h>

namespace tinyllm {

/// The files of adapters, beside those of the model that they are for, or in a folder of their own.
inline constexpr const char* kAdapterConfigFile = "adapter.json";
inline constexpr const char* kAdapterWeightsFile = "adapter.safetensors";

/// Puts adapters beside a model's matrices, drawn from the seed; they change nothing yet.
/// Throws Error when the model has some already, or `lora` cannot be.
void add_lora(Model& model, const Lora& lora, uint64_t seed);

/// Adds what the adapters do to the matrices themselves, W += (alpha / rank) B A, and leaves the model without them.
void merge_lora(Model& model);

/// Writes the adapters alone, each file whole or not at all.
void save_lora(const Model& model, const std::filesystem::path& folder);
/// Reads adapters beside the matrices of a model. Throws Error that names what does not fit: the file, or a tensor of
/// another shape.
void load_lora(Model& model, const std::filesystem::path& folder);

}  // namespace tinyllm
