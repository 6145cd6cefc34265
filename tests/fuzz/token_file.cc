// A file of tokens: any bytes, or any content between a right header and a right checksum.
#include <tinyllm/train/data/text_dataset.h>

#include <xxhash.h>

#include "fuzz/fuzz.h"
#include "model/text/sample_text.h"

namespace tinyllm::test {
namespace {

template <class T>
void append(std::string& file, T value) {
  file.append(reinterpret_cast<const char*>(&value), sizeof value);
}

std::string with_header_and_checksum(std::string_view content, const Tokenizer& tokenizer) {
  std::string file = "TLTOKENS";
  append(file, uint32_t{1});
  append(file, uint32_t{2});
  append(file, tokenizer.hash());
  file += content;
  append(file, XXH3_64bits(file.data(), file.size()));
  return file;
}

}  // namespace

void fuzz(std::string_view bytes) {
  static const SentencePieceTokenizer tokenizer = sample_tokenizer();
  const bool is_whole = bytes.starts_with("TLTOKENS");
  const MemoryFile memory(is_whole ? std::string(bytes) : with_header_and_checksum(bytes, tokenizer));
  may_refuse([&] {
    const auto file = std::make_shared<const TokenFile>(memory.path(), tokenizer);
    const TextDataset rows(file, {.length = 16, .part = TextPart::train, .validation_every = 2});
    if (rows.rows() > 0) rows.batch(2, 1, 0);
  });
}

}  // namespace tinyllm::test
