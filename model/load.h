// What the formats of models have in common. Not installed.
#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/model/text/model_files.h>
#include <tinyllm/model/weight_reader.h>

namespace tinyllm {

/// Throws Error when a tokenizer has more tokens than the config (a vocabulary may have rows that no token uses), or
/// when the files have fewer tensors than the config has layers: it may claim any number, and is compared with the
/// files before a name is made for each. `where` names the model in errors.
void check_fit(const ModelConfig& config, const Tokenizer& tokenizer, int64_t tensors,
               const std::filesystem::path& where);

/// A model of these sizes with the weights of its files, in the types and with the context of the options. Throws
/// Error, before memory is reserved, when the options do not fit.
Model load_parts(ModelConfig config, ModelText text, const WeightReader& reader, const LoadOptions& options);

/// The chat template of another people's model. Where there is none, one whose `render` throws Error: a base model
/// continues texts.
std::shared_ptr<const ChatTemplate> template_of(const ModelFiles& files);

}  // namespace tinyllm
