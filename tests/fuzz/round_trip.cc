// Text through a tokenizer and back.
#include <tinyllm/model/text/tokenizer.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"
#include "model/text/sample_text.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  static const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const std::string text = replace_invalid_utf8(bytes);
  const std::vector<int32_t> tokens = tokenizer.encode(bytes, Tokenizer::OnInvalid::replace);
  require(tokenizer.decode(tokens) == text);
  for (const int32_t token : tokens) require(token > kUnkId && token < tokenizer.size());
}
