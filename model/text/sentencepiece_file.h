#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A piece of a vocabulary as SentencePiece stores it, with U+2581 for a blank.
struct SentencePiece {
  enum class Type : uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  std::string text;
  float score = 0;
  Type type = Type::normal;
};

/// A `tokenizer.model`: its pieces in the order of their token ids, and the settings that decide how text is encoded,
/// with SentencePiece's defaults.
struct SentencePieceFile {
  enum class Model : uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
  std::vector<SentencePiece> pieces;
  Model model = Model::unigram;
  int32_t end_id = 2;
  int32_t pad_id = -1;
  std::string unknown_text = " \u2047 ";  ///< The text that the unknown token decodes to.
  bool byte_fallback = false;
  bool blank_as_suffix = false;
  bool add_dummy_prefix = true;
  bool remove_extra_blanks = true;
  bool escape_blanks = true;
  std::string characters_map;
  bool has_denormalizer = false;
};

/// Reads the bytes of the file, SentencePiece's protobuf message `ModelProto`, without SentencePiece's own code. Time
/// and memory are linear in the file's size. `what` names the file in errors. Throws Error on a damaged file, and on a
/// piece that is empty, longer than 256 bytes, not UTF-8, unused, a duplicate, or without a finite score.
SentencePieceFile read_sentencepiece_file(std::string_view file, std::string_view what);

/// The pieces of a file that `train_tokenizer` made. Also throws Error unless the file is byte pair encoding with byte
/// fallback and without normalisation.
std::vector<SentencePiece> read_sentencepieces(std::string_view file, std::string_view what);

}  // namespace tinyllm
