#pragma once

#include <tinyllm/model/text/prompt.h>
#include <tinyllm/train/data/packed_dataset.h>
#include <tinyllm/train/run.h>

#include "model/sample_model.h"
#include "model/text/sample_chat.h"

namespace tinyllm::test {

inline Model sample_model(float dropout = 0.1f) {
  return fresh_model({.dim = 24, .n_layers = 2, .n_heads = 2, .ffn_dim = 40, .context = 48, .dropout = dropout});
}

/// Chats in rows of 40 tokens, short enough that their answers, which are learned, are in them.
inline Dataset sample_chats(const Model& model) {
  std::vector<Sample> samples;
  for (int i = 0; i < 60; ++i) {
    const Messages chat = chat_of("计算", {std::to_string(i) + " * 3", "等于 " + std::to_string(3 * i) + "。"});
    samples.push_back(tokenize(*model.tokenizer, model.chat_template->render(chat, {})));
  }
  return Dataset::of_samples(samples, 40);
}

}  // namespace tinyllm::test
