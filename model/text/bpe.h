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
/// Subword Units"). Two neighbours are merged when a merge is known for them: the best merge first, the leftmost of
/// equal ones, until no two can be merged. The merges come from a list, or, as in SentencePiece, from the pieces: two
/// neighbours are merged when their joined text is a piece, that of the highest score first. Gives the tokens of
/// SentencePiece's own encoder, many times faster.
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
  struct ListedMerge {
    int32_t left;
    int32_t right;
    int32_t merged;
  };
  struct Options {
    bool refuse_unmade = true;  // Throw Error on a merged piece that no two pieces make.
    int32_t unknown = -1;       // For a character that is neither a piece nor, where there are bytes, encoded as these.
    bool fuse_unknown = false;  // One token for several unknown characters in a row.
  };

  /// The index of a piece is its token. `what` names the vocabulary in errors.
  explicit Bpe(std::span<const Piece> pieces, std::string_view what = "tokenizer") : Bpe(pieces, Options{}, what) {}
  Bpe(std::span<const Piece> pieces, const Options& options, std::string_view what);
  /// With a list of merges, the best first.
  Bpe(std::span<const Piece> pieces, std::span<const ListedMerge> merges, const Options& options);

  /// Appends the tokens of a text, which must be UTF-8. Takes time linear in the text if it is ordinary, and n log n on
  /// any text.
  void encode(std::string_view text, std::vector<int32_t>& tokens) const { encode(text, false, tokens); }
  /// The same; if `with_markers`, spelled pieces are found like whole ones.
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
  BorderFilter borders_;  // That are inside pieces.
};

}  // namespace tinyllm
