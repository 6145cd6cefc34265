// Trains the vocabulary of a SentencePieceTokenizer. Private to its sources.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tinyllm {

/// The first tokens of the vocabulary.
inline constexpr int32_t kPadId = 0, kBosId = 1, kEosId = 2, kUnkId = 3;

/// The bytes of a `tokenizer.model`; see SentencePieceTokenizer::train.
std::string train_sentencepiece(std::span<const std::string> texts, int64_t vocab_size);

}  // namespace tinyllm
