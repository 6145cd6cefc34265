// Converts hyper-parameters between the keys of GGUF and the fields of Hugging Face's `config.json`. Not installed:
// needs nlohmann/json.
#pragma once

#include <tinyllm/model/formats/family.h>
#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <vector>

namespace tinyllm {

/// Makes the `config.json` of a GGUF file, as transformers 4 would write it: sizes, RoPE with its scaling, the ids of
/// the tokens that begin and end a text. `tie_word_embeddings` and the biases follow from the tensors in the file, and
/// `vocab_size` is the number of rows of the embedding. Throws Error on another kind of model, a part of a split model,
/// keys that are missing or contradict each other, and on what is not supported: heads that differ between layers, RoPE
/// on only part of a head, an unknown kind of scaling.
Json gguf_config(const Gguf& file);

/// Adds `general.architecture` and the hyper-parameters of a `config.json` to a file, and the tensor
/// `rope_freqs.weight` for the scaling of Llama 3. Throws Error on another kind of model, a field that is missing, and
/// a RoPE scaling that the format cannot express (dynamic, longrope).
void add_gguf_config(const Json& config, GgufWriter& writer);

/// Sentences on what other programs lose when they read such a model from GGUF: a sliding window shorter than the
/// context.
std::vector<std::string> gguf_losses(const Json& config);

}  // namespace tinyllm
