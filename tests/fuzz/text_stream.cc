// Tokens as streamed text, with stop strings.
#include <tinyllm/runtime/text_stream.h>
#include <tinyllm/tensor/base/utf8.h>

#include "fuzz/fuzz.h"
#include "model/text/sample_text.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  static const SentencePieceTokenizer tokenizer = sample_tokenizer();
  Bytes in(bytes);
  std::vector<std::string> stop;
  for (int n = in.take<uint8_t>() % 3; n > 0; --n) stop.emplace_back(in.take(in.take<uint8_t>() % 8));
  may_refuse([&] {
    TextStream stream(tokenizer, stop);
    std::vector<int32_t> tokens;
    std::string text;
    while (!in.empty() && !stream.stopped()) {
      tokens.push_back(static_cast<int32_t>(in.take<uint16_t>() % tokenizer.size()));
      const std::string part = stream.add(tokens.back());
      require(valid_utf8(part) == part.size());
      text += part;
    }
    text += stream.finish();
    const std::string whole = replace_broken_characters(tokenizer.decode(tokens));
    require(whole.starts_with(text) && (stream.stopped() || text == whole));
    for (const std::string& s : stop) require(text.find(s) == std::string::npos);
  });
}
