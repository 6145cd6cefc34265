#pragma once

#include <tinyllm/model/gguf_weights.h>
#include <tinyllm/model/model.h>

#include <string>
#include <vector>

namespace tinyllm {

/// Opens a GGUF file: a model of one of the families in formats/family.h, with the tokenizer and the chat template in
/// its metadata. Unless the options say otherwise, matrices that are all Q8_0, all Q4_0 or all BF16 stay so, and the
/// embeddings and the head likewise; other types become floats. Throws Error that names the file and what is wrong or
/// not supported.
Model load_gguf(const std::filesystem::path& path, const LoadOptions& options = {});

/// The tokenizer and the chat template of such a file.
ModelText load_gguf_text(const std::filesystem::path& path);

/// Writes a model with its tokenizer and its chat template, whole or not at all, with only some rows in memory. Types
/// are of matrices and tables; where rows are not whole blocks of a type, F16 takes its place, and norms are F32.
/// Returns what other programs will do in another way, in sentences. Throws Error when the format cannot express the
/// model or the file cannot be written.
std::vector<std::string> save_gguf(const Model& model, const GgufTypes& types, const std::filesystem::path& path,
                                   ThreadPool& pool);

/// The types that keep the weights of a model as they are.
GgufTypes gguf_types(const Model& model);

}  // namespace tinyllm
