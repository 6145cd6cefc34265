#pragma once

#include <tinyllm/runtime/session.h>
#include <tinyllm/tensor/base/random.h>

#include "model/sample_model.h"

namespace tinyllm::test {

/// A model with larger weights than training begins with, so that what it says depends on what it was asked.
inline Model model_to_ask(const ModelConfig& config) {
  Model model = fresh_model(config, 3);
  for (const WeightSpec& spec : weight_specs(model.config)) {
    if (spec.role == WeightRole::norm || spec.role == WeightRole::bias) continue;
    for (float& w : model.weights->at(spec.name).as<float>()) w *= 8;
  }
  return model;
}

inline Model model_to_ask(int64_t context = 200) {
  return model_to_ask({.dim = 32, .n_layers = 2, .n_heads = 4, .ffn_dim = 48, .context = context, .dropout = 0});
}

inline std::vector<int32_t> random_tokens(const Model& model, uint64_t seed, int64_t count) {
  Random random(seed);
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i) {
    tokens.push_back(static_cast<int32_t>(4 + random.below(model.config.vocab_size - 4)));
  }
  return tokens;
}

}  // namespace tinyllm::test
