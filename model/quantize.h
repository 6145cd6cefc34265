#pragma once

#include <tinyllm/model/formats/safetensors.h>
#include <tinyllm/model/model.h>
#include <tinyllm/tensor/base/thread_pool.h>

namespace tinyllm {

/// Writes a folder with the weights of a model in these types, each file whole or not at all, the weights last.
/// `config.json` says which types they are: `load_model` opens the folder as any other. A quantised matrix is two
/// tensors: `<name>`, I8 [N, K] for q8_0 and U8 [N, K / 2] for q4_0, and `<name>_scale`, F16 [N, K / 32]; in bf16 it is
/// `<name>` alone, BF16 [N, K]; see ops/quantized.h. `on_progress` is told weights done and all, and stops it by
/// returning false. Throws Error when the model is quantised or has adapters, when a size is no multiple of 32, when a
/// weight is not finite, when it is stopped, or when the folder cannot be written.
using OnQuantized = std::function<bool(int64_t done, int64_t total)>;
void save_quantized(const Model& model, const WeightTypes& types, const std::filesystem::path& folder, int threads,
                    const OnQuantized& on_progress = {});

/// `<name>_scale`.
std::string scale_name(const std::string& name);
/// Reads a quantised matrix from a file and packs it for products. Throws Error that names what does not fit.
void load_quantized(const Safetensors& file, const Store::Entry& entry, ThreadPool& pool);

}  // namespace tinyllm
