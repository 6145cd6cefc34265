#pragma once

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/model/text/char_table.h>
#include <tinyllm/model/text/merge_segment.h>
#include <tinyllm/model/text/word_table.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// Byte pair encoding over bytes (Radford et al. 2019, "Language Models are Unsupervised Multitask Learners"), with a
/// list of merges. The tokens are those of merging one pair after another. Two tables skip most of that work: words
/// that become one token, and characters whose bytes always merge first.
class ByteBpe {
 public:
  struct Options {
    bool ignore_merges = false;  // A word that is a piece becomes that token, even if merging gives others.
    int32_t unknown = -1;        // For a byte that is not a piece; -1: such a byte is dropped.
    bool fuse_unknown = false;
  };
  /// `pieces` has the bytes of each token, empty if encoding never produces it. `merges` has the best first.
  ByteBpe(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges, const Options& options);

  /// Appends the tokens of a word, which must be UTF-8. Takes linear time on ordinary words, and O(n log n) at worst.
  void encode_word(std::string_view word, std::vector<int32_t>& tokens) const;

 private:
  struct Character {
    int32_t id = -1;         // -1: its bytes do not become one token.
    uint32_t last_rank = 0;  // Rank of the worst merge needed to join its bytes.
  };

  void add_merges(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges);
  void add_borders(std::string_view left, std::string_view right);
  void add_characters(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges);
  void merge_word(std::string_view word, std::vector<int32_t>& tokens) const;
  bool goes_first(const Character& character, std::string_view word, size_t begin, size_t end) const;

  Options options_;
  std::array<int32_t, 256> byte_id_{};
  CharTable<Character> characters_;
  // A merge across the border of two characters tears a character apart if one of its sides holds only some bytes of
  // it. This is the rank of the best such merge, indexed by 256 * (last byte before the border) + (first byte after).
  std::vector<uint32_t> torn_rank_;
  PairTable pairs_;
  BorderFilter borders_;  // Pairs of symbols that meet inside a piece.
  WordTable words_;
};

}  // namespace tinyllm
