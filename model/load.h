// Loading that all model formats share. Not installed.
#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/model/text/model_files.h>
#include <tinyllm/model/weight_reader.h>

namespace tinyllm {

/// Throws Error when a tokenizer has more tokens than the config (it may have fewer, as some models have unused rows),
/// or when the files have fewer tensors than the config has layers. A hostile config may claim any number of layers, so
/// this is checked before names are made for their weights. `where` names the model in errors.
void check_fit(const ModelConfig& config, const Tokenizer& tokenizer, int64_t tensors,
               const std::filesystem::path& where);

/// Makes a model of these sizes and reads its weights, with the types and the context of the options. Throws Error,
/// before it reserves memory, when the options do not fit.
Model load_parts(ModelConfig config, ModelText text, const WeightReader& reader, const LoadOptions& options);

/// The chat template of a model from elsewhere. If it has none, as base models do, the result's `render` throws Error.
std::shared_ptr<const ChatTemplate> template_of(const ModelFiles& files);

}  // namespace tinyllm
