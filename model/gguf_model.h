#pragma once

#include <tinyllm/model/gguf_weights.h>
#include <tinyllm/model/model.h>

#include <string>
#include <vector>

namespace tinyllm {

/// Opens a GGUF file: a model of one of the families in formats/family.h, with the tokenizer and the chat template in
/// its metadata. If all matrices are Q8_0, all Q4_0 or all BF16, they keep this type, unless the options name another.
/// The same holds for the embeddings and the head. Other types become f32. Throws Error that names the file and what is
/// wrong or not supported.
Model load_gguf(const std::filesystem::path& path, const LoadOptions& options = {});

/// Reads the tokenizer and the chat template of such a file.
ModelText load_gguf_text(const std::filesystem::path& path);

/// Writes a model with its tokenizer and its chat template. The file is complete or not there at all. Only some rows
/// are in memory at a time. `types` applies to matrices and tables; one whose rows are not whole blocks of the type
/// becomes F16. Norms are F32. Returns sentences on what other programs will do differently with this model. Throws
/// Error when the format cannot express the model or the file cannot be written, and Stopped when `on_progress`, which
/// counts weights, returns false.
std::vector<std::string> save_gguf(const Model& model, const GgufTypes& types, const std::filesystem::path& path,
                                   ThreadPool& pool, const OnProgress& on_progress = {});

/// The types that keep a model's weights unchanged.
GgufTypes gguf_types(const Model& model);

}  // namespace tinyllm
