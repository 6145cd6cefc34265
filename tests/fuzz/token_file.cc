// A file of tokens.
#include <tinyllm/train/data/text_dataset.h>

#include "fuzz/fuzz.h"
#include "model/text/sample_text.h"

void tinyllm::test::fuzz(std::string_view bytes) {
  static const Tokenizer tokenizer = sample_tokenizer();
  const MemoryFile memory(bytes);
  may_refuse([&] {
    const auto file = std::make_shared<const TokenFile>(memory.path(), tokenizer);
    const TextDataset rows(file, {.length = 16, .part = TextPart::train, .held_out_every = 2});
    if (rows.rows() > 0) rows.batch(2, 1, 0);
    file->verify();
  });
}
