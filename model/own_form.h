// Converts models that were made here to the forms of other programs. Not installed.
#pragma once

#include <tinyllm/model/formats/gguf/tokenizer.h>
#include <tinyllm/model/model.h>

namespace tinyllm {

/// The GGUF tokenizer for a tokenizer of `train_tokenizer`, with our chat template.
GgufTokenizer own_gguf_tokenizer(const Model& model);

/// Changes a model as if it had been read from a Hugging Face folder: it gets a `tokenizer.json` next to its
/// `tokenizer.model`, our chat template in Jinja, and an `origin` with weights in this type. Only texts that contain
/// U+2581 are encoded differently afterwards, since that format uses this character for a blank. Throws Error when no
/// family of other programs has the model's form.
void take_hugging_face_form(Model& model, DType type);

}  // namespace tinyllm
