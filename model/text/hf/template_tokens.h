#pragma once

#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <vector>

namespace tinyllm {

/// The tokens that the `post_processor` of a tokenizer.json adds around a text that is not a chat.
struct HfTemplateTokens {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};

/// Null: no tokens. Throws Error on a type that is not ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing
/// or Sequence.
HfTemplateTokens read_hf_template(const Json* json);

}  // namespace tinyllm
