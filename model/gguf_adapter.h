#pragma once

#include <tinyllm/model/formats/family.h>
#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/model/lora.h>

#include <filesystem>
#include <vector>

namespace tinyllm {

/// Reads the adapters of a GGUF file, in the order of the weights. `specs` are the weights of the model. Throws Error
/// if the file is a model or an adapter of another kind or architecture, if a tensor does not belong to a weight, or if
/// A and B do not fit the weight or each other.
std::vector<AdapterPart> read_gguf_adapter(const Gguf& file, const Family& family,
                                           const std::vector<WeightSpec>& specs);

/// Writes adapters as F32. The format has one alpha for all, and computes each scale as alpha / rank. If an adapter's
/// scale is different, its B is multiplied to make up for it. Throws Error when a weight is unknown or a size does not
/// fit.
void save_gguf_adapter(const std::vector<AdapterPart>& parts, const Family& family,
                       const std::vector<WeightSpec>& specs, const std::filesystem::path& path, ThreadPool& pool);

/// Reads a GGUF file of adapters and adds them to a model. Throws Error as `read_gguf_adapter` and `add_adapters` do,
/// or when no family of other programs has the form of the model.
void load_gguf_adapter(Model& model, const std::filesystem::path& path);
/// Writes the adapters of a model as F32. Throws Error when it has none, when adapters brought weights along, which the
/// format cannot hold, or as the other `save_gguf_adapter` does.
void save_gguf_adapter(const Model& model, const std::filesystem::path& path, ThreadPool& pool);

}  // namespace tinyllm
