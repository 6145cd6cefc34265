#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A piece of a vocabulary as SentencePiece stores it: a blank is written as U+2581.
struct SentencePiece {
  enum class Type : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  std::string text;
  float score = 0;
  Type type = Type::normal;
};

/// The pieces of a `tokenizer.model`, in the order of their tokens. The file is a protobuf message, `ModelProto` of
/// SentencePiece; only the few fields that decide how text is encoded are read, and nothing else of SentencePiece is
/// run on it. Takes time and memory linear in the file. `what` names the file in errors.
/// Throws Error on a damaged file, on anything but byte pair encoding with bytes as a fallback and without
/// normalisation, and on pieces that are empty, longer than 256 bytes, not UTF-8, unused, there twice, or without a
/// finite score.
std::vector<SentencePiece> read_sentencepieces(std::string_view file, std::string_view what);

}  // namespace tinyllm
