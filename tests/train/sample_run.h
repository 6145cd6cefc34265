#pragma once

#include <tinyllm/train/reasoning.h>
#include <tinyllm/train/run.h>

#include "../model/sample_model.h"

namespace tinyllm::test {

inline Model sample_model(float dropout = 0.1f) {
  return fresh_model({.dim = 24, .n_layers = 2, .n_heads = 2, .ffn_dim = 40, .context = 48, .dropout = dropout});
}

/// Short chats in rows of 40 tokens, of which the answers are learned.
inline Dataset sample_chats(const Model& model) {
  std::vector<Conversation> chats;
  for (int i = 0; i < 60; ++i) {
    const std::string question = fmt::format("{}+{}", i % 7, i % 5);
    chats.push_back({"算", {{question, fmt::format("{}，答案 {}", question, i % 7 + i % 5)}}});
  }
  return Dataset::of_samples(chat_samples(model.tokenizer, chats), 40);
}

}  // namespace tinyllm::test
