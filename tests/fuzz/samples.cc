// JSON lines with samples of any form, through the chat template.
#include <tinyllm/model/text/chat_template.h>
#include <tinyllm/train/data/samples.h>

#include "fuzz/fuzz.h"
#include "model/text/sample_text.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  static const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const MemoryFile file(bytes);
  may_refuse([&] {
    SampleReader reader(file.path(), {.on_bad = [](int64_t, const std::string&) {}});
    while (const auto sample = reader.next()) {
      if (const auto* chat = std::get_if<Messages>(&*sample)) {
        const Sample tokens = tokenize(tokenizer, default_chat_template()->render(*chat, {}));
        require(tokens.tokens.size() == tokens.learned.size());
      }
    }
  });
}
