// Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/model/formats/family.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {

/// Reads the sizes of a model from the `config.json` of transformers 4 or 5. `context` is max_position_embeddings.
/// Throws Error on a family that is not in family.cc, on a missing or wrong field, and on what is not implemented:
/// activations other than silu, RoPE scaling that RopeType does not have, rotation of only part of a head, mixtures of
/// experts.
ModelConfig config_from_hugging_face(const Json& json);

/// The inverse: a `config.json` of transformers 4 with these sizes. Throws Error when no family has this form.
nlohmann::ordered_json hugging_face_config(const ModelConfig& config);

}  // namespace tinyllm
