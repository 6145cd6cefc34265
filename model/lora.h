#pragma once

#include <tinyllm/model/model.h>

namespace tinyllm {

/// The files of adapters, in the folder of their model or in a separate folder: those of PEFT, the library of Hugging
/// Face for adapters.
inline constexpr const char* kAdapterConfigFile = "adapter_config.json";
inline constexpr const char* kAdapterWeightsFile = "adapter_model.safetensors";

/// The adapter of one matrix, as PEFT and GGUF have it: y += scale B (A x).
struct AdapterPart {
  std::string weight;  ///< The matrix, by its name in folders of Hugging Face: `WeightPart::hugging_face`.
  int64_t rank = 0;
  float scale = 0;
  std::vector<float> a;  ///< [rank, in]
  std::vector<float> b;  ///< [out, rank], rows as in Hugging Face.
};

/// Adds adapters to a model, drawn from the seed. Until they are trained they do not change the model's results.
/// Throws Error when the model has adapters already, or a field of `lora` is out of range.
void add_lora(Model& model, const Lora& lora, uint64_t seed);

/// Adds adapters that another program has made. Throws Error when the model has adapters already, has no such matrix,
/// or a size does not fit; it is unchanged then.
void add_adapters(Model& model, const std::vector<AdapterPart>& parts);
/// The adapters of a model, in the order of its weights.
std::vector<AdapterPart> adapter_parts(const Model& model);

/// Adds the adapters to the matrices, W += scale B A. The model has no adapters afterwards. Throws Error when matrices
/// are packed: they would be rounded anew, and keep most of what adapters learned only by chance.
void merge_lora(Model& model);

/// Writes only the adapters, each file whole or not at all, with the name of the model's base if it has one. Throws
/// Error when that fails.
void save_lora(const Model& model, const std::filesystem::path& folder);
/// Reads adapters and adds them to a model. Of PEFT's settings, rsLoRA, patterns of ranks and alphas, regular
/// expressions and layers in `target_modules`, and `modules_to_save` are understood: those weights replace the model's,
/// whose head and embeddings are not tied any more if one of them is among these. Throws Error that names the file, and
/// the field or the tensor that does not fit the model or is not supported. The model is unchanged then.
void load_lora(Model& model, const std::filesystem::path& folder);

/// Whether a folder has the files of adapters.
bool has_adapters(const std::filesystem::path& folder);
void remove_adapters(const std::filesystem::path& folder);
/// Where the model is that the adapters of a folder belong to: what they name, found from the folder or from where the
/// program runs. Throws Error when they name none, or it is not there.
std::filesystem::path adapter_base(const std::filesystem::path& folder);

}  // namespace tinyllm
