#pragma once

#include <tinyllm/model/text/border_filter.h>
#include <tinyllm/model/text/char_table.h>
#include <tinyllm/model/text/merge_segment.h>
#include <tinyllm/model/text/pair_table.h>
#include <tinyllm/model/text/text_trie.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Byte pair encoding over characters (Sennrich, Haddow and Birch 2016, "Neural Machine Translation of Rare Words with
/// Subword Units"). A text starts as single characters. The best merge of two neighbours is applied first, and the
/// leftmost of equally good ones, until no merge applies. The merges are either given as a list or, as in
/// SentencePiece, follow from the pieces: two neighbours can be merged if their joined text is a piece, and the piece
/// with the highest score is the best. The tokens are those of SentencePiece's own encoder, many times faster.
class Bpe {
 public:
  enum class Kind : uint8_t {
    merged,   // A character, or the result of merging two pieces.
    whole,    // Found in the text before any merge; the longest match wins.
    spelled,  // A marker. Text that spells it stays text: no merge crosses the end of its first character.
    byte,
    control,  // Has no text. Encoding never produces it.
  };
  struct Piece {
    std::string text;
    float score = 0;
    Kind kind = Kind::control;
  };
  struct ListedMerge {
    int32_t left;
    int32_t right;
    int32_t merged;
  };
  struct Options {
    bool refuse_unmade = true;  // Throw Error if a merged piece is not two pieces joined.
    int32_t unknown = -1;       // For a character that is not a piece and has no byte tokens.
    bool fuse_unknown = false;  // One token for several unknown characters in a row.
  };

  /// The index of a piece is its token. `what` names the vocabulary in errors.
  explicit Bpe(std::span<const Piece> pieces, std::string_view what = "tokenizer") : Bpe(pieces, Options{}, what) {}
  Bpe(std::span<const Piece> pieces, const Options& options, std::string_view what);
  /// With a list of merges, the best first.
  Bpe(std::span<const Piece> pieces, std::span<const ListedMerge> merges, const Options& options);

  /// Appends the tokens of a text, which must be UTF-8. Takes linear time on ordinary text, and O(n log n) at worst.
  void encode(std::string_view text, std::vector<int32_t>& tokens) const { encode(text, false, tokens); }
  /// The same. With `with_markers`, the text's `spelled` pieces become tokens too, like `whole` ones.
  void encode(std::string_view text, bool with_markers, std::vector<int32_t>& tokens) const;

 private:
  struct Fixed {
    int32_t id;
    Kind kind;  // Whole or spelled.
    size_t size;
  };
  struct Output {
    std::vector<int32_t>& tokens;
    bool after_unknown = false;
  };

  void add_single(std::span<const Piece> pieces);
  void add_pairs(std::span<const Piece> pieces, std::string_view what);
  void add_nameless_characters(std::span<const Piece> pieces);
  const Fixed* fixed_at(std::string_view rest) const;
  void finish(std::vector<Symbol>& segment, Output& output) const;
  void append_unknown(std::string_view character, Output& output) const;

  Options options_;
  std::array<int32_t, 256> byte_id_{};
  std::vector<Fixed> fixed_;
  TextTrie find_fixed_;
  std::array<bool, 256> starts_fixed_{};
  CharTable<int32_t> id_of_;
  // Characters that occur in pieces but are not pieces themselves have ids from here on. These ids are not tokens.
  int32_t first_nameless_ = 0;
  std::vector<std::string> nameless_;
  PairTable pairs_;
  BorderFilter borders_;  // Pairs of symbols that meet inside a piece.
};

}  // namespace tinyllm
