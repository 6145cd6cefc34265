// Not installed.
#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/model/text/model_files.h>

namespace tinyllm {

/// Reads the sampling settings in `generation_config.json`. All are empty if the file is missing. As in transformers,
/// temperature, top_k and top_p count only with `do_sample`. Throws Error that names the file and the field.
SamplingDefaults sampling_defaults(const ModelFiles& files);

}  // namespace tinyllm
