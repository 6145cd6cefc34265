#pragma once

#include <tinyllm/model/model.h>
#include <tinyllm/model/transformer.h>

#include "model/text/sample_text.h"

namespace tinyllm::test {

/// A model as training begins with it, of these sizes and the vocabulary of the sample texts.
inline Model fresh_model(ModelConfig config, uint64_t seed = 1) {
  const auto tokenizer = std::make_shared<const SentencePieceTokenizer>(sample_tokenizer());
  config.vocab_size = tokenizer->size();
  Model model{config, tokenizer};
  init_weights(weight_specs(config), seed, *model.weights);
  return model;
}

}  // namespace tinyllm::test
