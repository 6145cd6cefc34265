#pragma once

#include <tinyllm/model/text/text_trie.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The unigram model of SentencePiece (Kudo 2018, "Subword Regularization"). Scores are logarithms of probabilities. Of
/// all ways to split a text into pieces, the model takes the one whose scores have the largest sum. Immutable.
class Unigram {
 public:
  struct Piece {
    enum class Kind : uint8_t { scored, fixed, none };  // fixed: preferred wherever it fits. none: never produced.
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
  /// Splits a text, which must be UTF-8. Fixed pieces are used only if they are in `fixed`. Each unknown character is a
  /// piece of its own. Time is proportional to the text's length times the length of the longest piece.
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
