// Models that were made here, in the forms of other programs. Not installed.
#pragma once

#include <tinyllm/model/formats/gguf/tokenizer.h>
#include <tinyllm/model/model.h>

namespace tinyllm {

/// The tokenizer of `train_tokenizer` with our chat template.
GgufTokenizer own_gguf_tokenizer(const Model& model);

/// Makes a model be as if a folder of Hugging Face had been read: a `tokenizer.json` beside its `tokenizer.model`, our
/// chat template in Jinja, and an `origin` of weights in this type. A text with U+2581 alone gets other tokens than
/// before: it is how that format writes a blank. Throws Error when no family of other programs has the form of the
/// model.
void take_hugging_face_form(Model& model, DType type);

}  // namespace tinyllm
