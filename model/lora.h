#pragma once

#include <tinyllm/model/model.h>

namespace tinyllm {

/// The files of adapters, in the model's folder or in a folder of their own. Names and format are those of PEFT,
/// Hugging Face's library for adapters.
inline constexpr const char* kAdapterConfigFile = "adapter_config.json";
inline constexpr const char* kAdapterWeightsFile = "adapter_model.safetensors";

/// The adapter of one matrix, as PEFT and GGUF store it: y += scale B (A x).
struct AdapterPart {
  std::string weight;  ///< The matrix's name in Hugging Face folders: `WeightPart::hugging_face`.
  int64_t rank = 0;
  float scale = 0;
  std::vector<float> a;  ///< [rank, in]
  std::vector<float> b;  ///< [out, rank], rows in Hugging Face's order.
};

/// Adds new adapters to a model. The seed determines their random values. They do not change the model's results until
/// they are trained. Throws Error when the model has adapters already, or a field of `lora` is out of range.
void add_lora(Model& model, const Lora& lora, uint64_t seed);

/// Adds existing adapters to a model. Throws Error, and leaves the model unchanged, when it has adapters already, has
/// no such matrix, or a size does not fit.
void add_adapters(Model& model, const std::vector<AdapterPart>& parts);
/// The adapters of a model, in the order of its weights.
std::vector<AdapterPart> adapter_parts(const Model& model);

/// Merges the adapters into the matrices, W += scale B A, and removes them. Throws Error when matrices are packed:
/// rounding to the packed type would lose most of the change that the adapters learned. Throws Error too when a merged
/// weight is not finite; the model can then only be destroyed.
void merge_lora(Model& model);

/// Writes only the adapters, and the name of the model's base if it has one. Each file is complete or not there at all.
/// Throws Error when a file cannot be written.
void save_lora(const Model& model, const std::filesystem::path& folder);
/// Reads adapters and adds them to a model. Supported settings of PEFT: rsLoRA, patterns of ranks and alphas, regular
/// expressions and layers in `target_modules`, and `modules_to_save`. Saved modules replace the model's weights; if the
/// head or the embeddings are saved, the two are no longer tied. Throws Error that names the file and the field or
/// tensor that does not fit or is not supported. The model is unchanged then. `pool` is as in LoadOptions.
void load_lora(Model& model, const std::filesystem::path& folder, const std::optional<ThreadPool>& pool = {});

/// Whether a folder contains adapters.
bool has_adapters(const std::filesystem::path& folder);
void remove_adapters(const std::filesystem::path& folder);
/// The path of the model that the adapters in a folder belong to. The path in their settings is relative to the folder
/// or to the current directory. Throws Error when they name no model, or it does not exist.
std::filesystem::path adapter_base(const std::filesystem::path& folder);

}  // namespace tinyllm
