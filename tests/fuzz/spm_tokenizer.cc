// A tokenizer.model of another family of models, and texts through those that are accepted.
#include <tinyllm/model/text/spm/spm_tokenizer.h>

#include "fuzz/fuzz.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  may_refuse([&] {
    const SpmTokenizer tokenizer = SpmTokenizer::parse(std::string(bytes), "input");
    const std::string text = "12 + 34 = 46\n\n  今天<|user|>\t\u2581▅ é ①ﬃ　";
    for (const std::vector<int32_t>& tokens : {tokenizer.encode(text), tokenizer.encode_with_added(text)}) {
      for (const int32_t token : tokens) require(token >= 0 && token < tokenizer.size());
      (void)tokenizer.decode(tokens);
      (void)tokenizer.decode_text(tokens);
    }
  });
}
