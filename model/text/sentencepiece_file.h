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

/// A `tokenizer.model`: its pieces in the order of their tokens, and what else decides how text is encoded, with the
/// defaults of SentencePiece.
struct SentencePieceFile {
  enum class Model : uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
  std::vector<SentencePiece> pieces;
  Model model = Model::unigram;
  int32_t end_id = 2;
  int32_t pad_id = -1;
  std::string unknown_text = " \u2047 ";  ///< What the unknown token is decoded to.
  bool byte_fallback = false;
  bool blank_as_suffix = false;
  bool add_dummy_prefix = true;
  bool remove_extra_blanks = true;
  bool escape_blanks = true;
  std::string characters_map;
  bool has_denormalizer = false;
};

/// Reads the file, a protobuf message, `ModelProto` of SentencePiece; nothing of SentencePiece is run on it. Takes time
/// and memory linear in the file. `what` names the file in errors. Throws Error on a damaged file, and on pieces that
/// are empty, longer than 256 bytes, not UTF-8, unused, there twice, or without a finite score.
SentencePieceFile read_sentencepiece_file(std::string_view file, std::string_view what);

/// The pieces of a file as `train_tokenizer` makes it. Throws Error also on anything but byte pair encoding with bytes
/// as a fallback and without normalisation.
std::vector<SentencePiece> read_sentencepieces(std::string_view file, std::string_view what);

}  // namespace tinyllm
