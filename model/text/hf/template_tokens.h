#pragma once

#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <vector>

namespace tinyllm {

/// What the `post_processor` of a tokenizer.json puts around a text that is encoded alone.
struct HfTemplateTokens {
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};

/// Null: nothing. Throws Error on a type that is not ByteLevel, TemplateProcessing, BertProcessing, RobertaProcessing
/// or Sequence.
HfTemplateTokens read_hf_template(const Json* json);

}  // namespace tinyllm
