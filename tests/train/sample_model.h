#pragma once

#include <tinyllm/model/transformer.h>
#include <tinyllm/train/reasoning.h>
#include <tinyllm/train/run.h>

#include "../model/sample_text.h"

namespace tinyllm::test {

inline Model fresh_model(float dropout = 0.1f) {
  Tokenizer tokenizer = sample_tokenizer();
  const ModelConfig config{.vocab_size = tokenizer.size(),
                           .dim = 24,
                           .n_layers = 2,
                           .n_heads = 2,
                           .ffn_dim = 40,
                           .context = 48,
                           .dropout = dropout};
  Model model{config, std::move(tokenizer)};
  init_weights(config, 1, *model.weights);
  return model;
}

/// Chats in rows of 40 tokens, of which the answers are learned.
inline Dataset sample_chats(const Model& model) {
  const std::vector<Sample> samples =
      chat_samples(model.tokenizer, as_conversations(make_problems(1, 60, Split::train)));
  return Dataset::of_samples(samples, 40);
}

}  // namespace tinyllm::test
