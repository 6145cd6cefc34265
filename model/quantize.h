#pragma once

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/progress.h>
#include <tinyllm/tensor/base/thread_pool.h>

namespace tinyllm {

/// Writes a folder with the weights of a model in these types, each file whole or not at all, the weights last.
/// `config.json` records the types; `load_model` opens the folder like any other. A quantised matrix is two tensors:
/// `<name>`, I8 [N, K] for q8_0 and U8 [N, K / 2] for q4_0, and `<name>_scale`, F16 [N, K / 32]. As bf16 it is only
/// `<name>`, BF16 [N, K]; see ops/quantized.h. `on_progress` counts weights. Throws Stopped, and Error
/// when the model is quantised or has adapters, when a size is not a multiple of 32, when a weight is not finite, or
/// when the folder cannot be written.
void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, ThreadPool pool,
                    const OnProgress& on_progress = {});

/// `<name>_scale`.
std::string scale_name(const std::string& name);
/// The tensors of a file that hold a weight: one, or two for a quantised matrix with scales. That of a float weight may
/// be F32, F16 or BF16. Throws Error when one is missing or has another type or shape.
std::vector<const Safetensors::Entry*> entries_of(const Safetensors& file, const WeightSpec& spec);
/// Reads a weight from a file into an entry of its type and shape: floats are converted, matrices are packed for
/// products, BF16 ones straight from their elements. Throws Error as `entries_of` does, and when a number in the file
/// is not possible.
void load_weight(const Safetensors& file, const WeightSpec& spec, const Store::Entry& entry, ThreadPool& pool);

}  // namespace tinyllm
