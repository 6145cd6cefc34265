// A tokenizer.model of our own form from outside, and a text through those that are accepted.
#include <tinyllm/model/text/sentencepiece_tokenizer.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  const MemoryFile file(bytes);
  may_refuse([&] {
    const SentencePieceTokenizer tokenizer = SentencePieceTokenizer::load(file.path());
    const std::string text = "12 + 34 = 46\n\n  今天<|user|>\t\u2581▅ é";
    require(tokenizer.decode(tokenizer.encode(text)) == text);
  });
}
