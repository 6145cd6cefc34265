#pragma once

#include <tinyllm/model/formats/weight_files.h>
#include <tinyllm/model/model.h>

#include <map>
#include <string>

namespace tinyllm {

/// How a folder of Hugging Face holds a model, beside what `ModelConfig` says: what it takes to write it in the same
/// form again.
struct HuggingFaceForm {
  struct Tensor {
    std::string name;    ///< Perhaps without the prefix `model.`.
    DType type = f32;    ///< f32, f16 or bf16.
    std::string file;    ///< Which has it: `model.safetensors` or a shard.
    uint64_t place = 0;  ///< In the file, counted from its first byte.
  };
  std::string config;                     ///< The text of `config.json`, with fields that nothing here reads.
  std::map<std::string, Tensor> tensors;  ///< By `WeightPart::hugging_face`.
};

/// The form of a folder that is read.
HuggingFaceForm form_of(std::string config, const WeightFiles& files, const ModelConfig& sizes);
/// One file, with all weights in this type.
HuggingFaceForm form_of(std::string config, DType type, const ModelConfig& sizes);
/// The same with all tensors, and `torch_dtype`, in this type.
HuggingFaceForm with_type(HuggingFaceForm form, DType type);
/// The type of most of a model: that of its embeddings.
DType main_type(const HuggingFaceForm& form);
/// "float32", "float16" or "bfloat16": `torch_dtype` in `config.json`.
const char* torch_name(DType type);

/// Writes a folder that transformers opens: the files of the tokenizer and `config.json`, of which only changes it that
/// must (`tie_word_embeddings`, the type of the weights), then the weights, each file whole or not at all. Weights of
/// another model that the folder holds are removed before. Of weights that were read from the same type, every bit is
/// as before. Throws Error when the weights are quantised, a number is too large for its type, or the folder cannot be
/// written.
void save_hugging_face(const Model& model, const HuggingFaceForm& form, const std::filesystem::path& folder);

/// Removes all weights that a folder holds, in one file or in several.
void remove_weights(const std::filesystem::path& folder);

}  // namespace tinyllm
