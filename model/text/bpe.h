#pragma once

#include <tinyllm/model/text/pair_table.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Byte pair encoding with the pieces and scores of a SentencePiece model: the tokens that its own encoder gives, many
/// times faster. Neighbours whose text together is a piece are merged, the piece of the highest score first, of equal
/// ones the leftmost, until none is left (Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words
/// with Subword Units"). Characters that are no piece are given as bytes.
class Bpe {
 public:
  enum class Kind : uint8_t {
    merged,   // A character, or made of two merged pieces.
    whole,    // Taken as it stands before anything is merged, the longest first.
    spelled,  // Never made: where a text holds it, nothing is merged across the end of its first character.
    byte,
    control,  // Never made: has no text.
  };
  struct Piece {
    std::string text;
    float score = 0;
    Kind kind = Kind::control;
  };

  /// The place of a piece is its token. Throws Error on a merged piece that can never be made.
  explicit Bpe(std::span<const Piece> pieces);

  /// Appends the tokens of a text that is UTF-8. Takes n steps on common text, n log n on any.
  void encode(std::string_view text, std::vector<int32_t>& tokens) const;

 private:
  struct Fixed {
    std::string text;
    int32_t id;
    Kind kind;  // Whole or spelled.
  };

  void add_characters(std::span<const Piece> pieces);
  void add_pairs(std::span<const Piece> pieces);
  int32_t id_of(char32_t character) const;
  const Fixed* fixed_at(std::string_view rest) const;

  std::array<int32_t, 256> byte_id_{};
  std::vector<Fixed> fixed_;  // The longest first.
  std::array<bool, 256> starts_fixed_{};
  // Tokens of characters, in blocks of 256; the first block is of those that have none.
  std::array<uint16_t, 0x110000 / 256> block_of_{};
  std::vector<std::array<int32_t, 256>> blocks_;
  PairTable pairs_;
};

}  // namespace tinyllm
