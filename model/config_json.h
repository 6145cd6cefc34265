// Not installed: needs nlohmann/json.
#pragma once

#include <tinyllm/model/config.h>
#include <tinyllm/tensor/base/json.h>

namespace tinyllm {

/// Reads the object `rope_scaling` of a `config.json`. Its field `rope_type` may also be called `type`. `context` is
/// the default of its original context. Throws Error that names the field.
RopeScaling read_rope_scaling(const Json& json, int64_t context);

/// Whether a `config.json` describes a model in our own form, and not one of a family that other programs know. Throws
/// Error when it cannot be read or has no `model_type`.
bool is_own_config(const std::filesystem::path& path);

}  // namespace tinyllm
