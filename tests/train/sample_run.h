#pragma once

#include <tinyllm/train/reasoning.h>
#include <tinyllm/train/run.h>

#include "../model/sample_model.h"

namespace tinyllm::test {

inline Model sample_model(float dropout = 0.1f) {
  return fresh_model({.dim = 24, .n_layers = 2, .n_heads = 2, .ffn_dim = 40, .context = 48, .dropout = dropout});
}

/// Chats in rows of 40 tokens, of which the answers are learned.
inline Dataset sample_chats(const Model& model) {
  const std::vector<Sample> samples =
      chat_samples(model.tokenizer, as_conversations(make_problems(1, 60, Split::train)));
  return Dataset::of_samples(samples, 40);
}

}  // namespace tinyllm::test
