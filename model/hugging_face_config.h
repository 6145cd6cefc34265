// Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/formats/family.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {

/// The sizes of a model in the `config.json` of transformers 4 or 5. `context` is max_position_embeddings. Throws Error
/// on a family without a row in family.h, a field that is missing or wrong, and what no model here computes: other
/// activations than silu, RoPE scaling of another kind than RopeType, rotation of a part of a head, mixtures of
/// experts.
ModelConfig config_from_hugging_face(const Json& json);

/// A `config.json` of transformers 4 from which `config_from_hugging_face` reads these sizes. Throws Error when no
/// family has this form.
nlohmann::ordered_json hugging_face_config(const ModelConfig& config);

}  // namespace tinyllm
