#pragma once

#include <tinyllm/train/run.h>
#include <tinyllm/train/tasks/reasoning.h>

#include "model/sample_model.h"
#include "model/text/sample_chat.h"

namespace tinyllm::test {

inline Model sample_model(float dropout = 0.1f) {
  return fresh_model({.dim = 24, .n_layers = 2, .n_heads = 2, .ffn_dim = 40, .context = 48, .dropout = dropout});
}

/// Chats in rows of 40 tokens, short enough that their answers, which are learned, are in them.
inline Dataset sample_chats(const Model& model) {
  std::vector<Messages> chats;
  for (int i = 0; i < 60; ++i) {
    chats.push_back(chat_of("计算", {std::to_string(i) + " * 3", "等于 " + std::to_string(3 * i) + "。"}));
  }
  return Dataset::of_samples(chat_samples(model, chats), 40);
}

}  // namespace tinyllm::test
