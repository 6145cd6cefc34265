// What the targets that read adapters share.
#pragma once

#include <tinyllm/model/lora.h>

#include "fuzz/fuzz.h"
#include "model/sample_model.h"

#include <cmath>

namespace tinyllm::test {

/// A model that takes adapters: the smallest in the form of Llama, with query heads that share keys.
inline Model model_to_adapt() {
  return fresh_model({.dim = 8,
                      .n_layers = 2,
                      .n_heads = 2,
                      .n_kv_heads = 1,
                      .ffn_dim = 4,
                      .ffn = FeedForward::swiglu,
                      .ffn_bias = false,
                      .context = 4});
}

/// Calls `load(model)`, which may refuse and then leaves the model as it was. Adapters that were read can be saved, and
/// what is read again is the same.
template <class Load>
void check_adapters(Load load) {
  Model model = model_to_adapt();
  const ModelConfig before = model.config;
  bool is_read = false;
  may_refuse([&] {
    load(model);
    is_read = true;
  });
  if (!is_read) return require(model.config == before);
  const std::vector<AdapterPart> parts = adapter_parts(model);
  require(!parts.empty());
  const std::filesystem::path folder = memory_folder() / "again";
  save_lora(model, folder);
  Model again = model_to_adapt();
  load_lora(again, folder, ThreadPool(1));
  const std::vector<AdapterPart> found = adapter_parts(again);
  require(found.size() == parts.size());
  for (size_t i = 0; i < parts.size(); ++i) {
    require(std::isfinite(parts[i].scale));
    require(found[i].weight == parts[i].weight && found[i].rank == parts[i].rank);
    require(found[i].a == parts[i].a && found[i].b == parts[i].b);
  }
}

}  // namespace tinyllm::test
