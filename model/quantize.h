#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/base/thread_pool.h>

namespace tinyllm {

/// Writes a folder with the weights of a model in these types. Each file is complete or not there at all, and the
/// weights come last. `config.json` records the types; `load_model` opens the folder like any other. `own_weights.h`
/// describes how a quantised matrix is stored. `on_progress` counts weights. Throws Stopped if cancelled. Throws Error
/// when the model is quantised already or has adapters, when a size is not a multiple of 32, when a weight is not
/// finite, or when the folder cannot be written.
void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, ThreadPool pool,
                    const OnProgress& on_progress = {});

}  // namespace tinyllm
