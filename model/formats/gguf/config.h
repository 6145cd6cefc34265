// The hyper-parameters of a model: keys of GGUF, and fields of a `config.json` of Hugging Face. Not installed: needs
// nlohmann/json.
#pragma once

#include <tinyllm/model/formats/family.h>
#include <tinyllm/model/formats/gguf/gguf.h>
#include <tinyllm/model/formats/gguf/writer.h>
#include <tinyllm/tensor/base/json.h>

#include <string>
#include <vector>

namespace tinyllm {

/// The `config.json` of a GGUF file, as transformers 4 writes it: sizes, RoPE with its scaling, `tie_word_embeddings`
/// and biases by the tensors that the file has, ids of the tokens that begin and end a text. `vocab_size` is the number
/// of rows of the embedding. Throws Error on another kind of model, a part of a split model, keys that are missing or
/// contradict each other, and what no model here has: heads that differ between layers, RoPE on a part of a head,
/// scaling of an unknown kind.
Json gguf_config(const Gguf& file);

/// Adds `general.architecture` and the hyper-parameters of a `config.json` to a file, and the tensor
/// `rope_freqs.weight` for the scaling of Llama 3. Throws Error on another kind of model, a field that is missing, and
/// a RoPE scaling that the format cannot express (dynamic, longrope).
void add_gguf_config(const Json& config, GgufWriter& writer);

/// What other programs lose when they read such a model from GGUF, one sentence each: a sliding window shorter than the
/// context.
std::vector<std::string> gguf_losses(const Json& config);

}  // namespace tinyllm
