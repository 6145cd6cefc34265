// A tokenizer.json from outside, and texts through those that are accepted. After the file may come a NUL and a text.
#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"

#include <algorithm>

void tinyllm::test::fuzz(std::string_view bytes) {
  const size_t end = std::min(bytes.find('\0'), bytes.size());
  may_refuse([&] {
    const HfTokenizer tokenizer = HfTokenizer::parse(std::string(bytes.substr(0, end)), "input");
    const std::string text =
        replace_invalid_utf8(end < bytes.size() ? bytes.substr(end + 1) : "12 It's 今天 <s>é\n\n  ");
    const std::vector<int32_t> plain = tokenizer.encode(text);
    for (const int32_t token : plain) require(token >= 0 && token < tokenizer.size());
    const std::vector<TextRange> typed = {{0, character_cut(text, text.size() / 2)}};
    const std::vector<int32_t> tokens = tokenizer.encode_with_added(text, typed);
    for (const int32_t token : tokens) require(token >= 0 && token < tokenizer.size());
    (void)tokenizer.decode(tokens);
    (void)tokenizer.decode_text(tokens, true);
    (void)tokenizer.decode_text(tokens, false);
  });
}
