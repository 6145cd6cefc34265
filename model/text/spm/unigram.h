#pragma once

#include <tinyllm/model/text/text_trie.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The unigram model of SentencePiece (Kudo 2018, "Subword Regularization"): of all ways to split a text into pieces,
/// the one whose scores, which are logarithms of probabilities, have the largest sum. Immutable.
class Unigram {
 public:
  struct Piece {
    enum class Kind : uint8_t { scored, fixed, none };  // Fixed: taken wherever it fits. None: never made.
    std::string text;
    float score = 0;
    Kind kind = Kind::none;
  };
  /// The index of a piece is its token. `unknown` is the token of a character that is in no piece.
  Unigram(std::span<const Piece> pieces, int32_t unknown);

  struct Found {
    std::string_view text;
    int32_t token;
  };
  /// The pieces of a text that is UTF-8; of the fixed ones, those that are in `fixed`. Each unknown character is one.
  /// Takes time in the product of the text's length and that of the longest piece.
  std::vector<Found> split(std::string_view text, const TextTrie& fixed) const;

 private:
  TextTrie trie_;
  std::vector<float> scores_;
  std::vector<bool> is_fixed_;
  int32_t unknown_;
  float best_score_;
  float unknown_score_;
};

}  // namespace tinyllm
