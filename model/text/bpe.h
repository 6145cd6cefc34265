#pragma once

#include <tinyllm/model/text/pair_table.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Byte pair encoding with the pieces and scores of a SentencePiece model. It gives the tokens of SentencePiece's own
/// encoder, many times faster. Two neighbours are merged when their joined text is a piece: the piece with the highest
/// score first, the leftmost of equal ones, until no two can be merged (Sennrich, Haddow and Birch 2016, "Neural
/// Machine Translation of Rare Words with Subword Units"). A character that is not a piece is encoded as its bytes.
class Bpe {
 public:
  enum class Kind : uint8_t {
    merged,   // A character, or made of two merged pieces.
    whole,    // Found in the text before anything is merged, the longest first.
    spelled,  // A marker. Text that spells it stays text: no merge crosses the end of its first character.
    byte,
    control,  // Has no text, and is never made.
  };
  struct Piece {
    std::string text;
    float score = 0;
    Kind kind = Kind::control;
  };

  /// The index of a piece is its token. Throws Error on a merged piece that no two pieces make; `what` names the
  /// vocabulary in errors.
  explicit Bpe(std::span<const Piece> pieces, std::string_view what = "tokenizer");

  /// Appends the tokens of a text, which must be UTF-8. Takes time linear in the text if it is ordinary, and n log n on
  /// any text.
  void encode(std::string_view text, std::vector<int32_t>& tokens) const;

 private:
  struct Fixed {
    std::string text;
    int32_t id;
    Kind kind;  // Whole or spelled.
  };

  void add_characters(std::span<const Piece> pieces);
  void add_pairs(std::span<const Piece> pieces, std::string_view what);
  int32_t id_of(char32_t character) const;
  const Fixed* fixed_at(std::string_view rest) const;

  std::array<int32_t, 256> byte_id_{};
  std::vector<Fixed> fixed_;  // Longest first.
  std::array<bool, 256> starts_fixed_{};
  // Tokens of characters, in blocks of 256. Block 0 is shared by all that hold none.
  std::array<uint16_t, 0x110000 / 256> block_of_{};
  std::vector<std::array<int32_t, 256>> blocks_;
  PairTable pairs_;
};

}  // namespace tinyllm
