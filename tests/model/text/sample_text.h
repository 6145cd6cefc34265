#pragma once

#include <tinyllm/model/text/sentencepiece_tokenizer.h>

#include <string>
#include <vector>

namespace tinyllm::test {

/// Enough text of our own for a small vocabulary.
inline std::vector<std::string> sample_texts() {
  std::vector<std::string> texts;
  for (int i = 0; i < 200; ++i) {
    texts.push_back("第" + std::to_string(i) + "题：计算 " + std::to_string(i * 7) +
                    " + 35 等于多少？\n  先算加法，再写答案。\n");
    texts.push_back("Question " + std::to_string(i) + ": what is  12 * 3?\tThe answer is 36.\n");
  }
  return texts;
}

/// Its special tokens.
inline constexpr int32_t kPadId = 0, kBosId = 1, kEosId = 2, kUnkId = 3;
inline SentencePieceTokenizer sample_tokenizer(int64_t vocab_size = 400) {
  const std::vector<std::string> texts = sample_texts();
  return SentencePieceTokenizer::train(texts, {.vocab_size = vocab_size});
}

}  // namespace tinyllm::test
