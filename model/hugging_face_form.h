#pragma once

#include <tinyllm/model/formats/weight_files.h>
#include <tinyllm/model/model.h>

#include <map>
#include <string>
#include <string_view>

namespace tinyllm {

/// How a Hugging Face folder stores a model: the information besides `ModelConfig` that is needed to write it in the
/// same form again.
struct HuggingFaceForm {
  struct Tensor {
    std::string name;    ///< In some folders without the prefix `model.`.
    DType type = f32;    ///< f32, f16 or bf16.
    std::string file;    ///< The file that holds it: `model.safetensors` or a shard.
    uint64_t place = 0;  ///< The first byte of its data in the file.
  };
  std::string config;                     ///< The text of `config.json`, including fields that are not read here.
  std::map<std::string, Tensor> tensors;  ///< By `WeightPart::hugging_face`.
};

/// The form of an existing folder.
HuggingFaceForm form_of(std::string config, const WeightFiles& files, const ModelConfig& sizes);
/// A form with one file and all weights in this type.
HuggingFaceForm form_of(std::string config, DType type, const ModelConfig& sizes);
/// A copy in which all tensors, and `torch_dtype`, have this type.
HuggingFaceForm with_type(HuggingFaceForm form, DType type);
/// The main type of a model: that of its embeddings.
DType main_type(const HuggingFaceForm& form);
/// The type's name in `torch_dtype` of `config.json`: "float32", "float16" or "bfloat16".
const char* torch_name(DType type);

/// Writes a folder that transformers can open: the tokenizer's files and `config.json`, then the weights. In
/// `config.json` only the fields that must change do (`tie_word_embeddings`, the type of the weights). Each file is
/// written completely or not at all. Weights of another model in the folder are removed first. Weights that were read
/// from the same type keep every bit. Throws Error when the weights are quantised, a number is too large for its type,
/// or the folder cannot be written.
void save_hugging_face(const Model& model, const HuggingFaceForm& form, const std::filesystem::path& folder);

/// Whether a file of a model folder has weights, or the list of the files that have them.
bool is_weight_file(std::string_view name);
/// Removes all files of weights from a folder. Throws Error when it cannot be read.
void remove_weights(const std::filesystem::path& folder);

}  // namespace tinyllm
