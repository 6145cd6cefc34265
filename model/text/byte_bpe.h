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
/// list of merges. Gives the tokens of merging one pair after the other, but looks up first what can be known
/// beforehand: words that end up as one token, and characters whose bytes are merged before anything else.
class ByteBpe {
 public:
  struct Options {
    bool ignore_merges = false;  // A word that is a piece is that token, whatever the merges make of it.
    int32_t unknown = -1;        // For a byte that is not a piece; -1: such a byte gets no token.
    bool fuse_unknown = false;
  };
  /// `pieces` are the bytes of each token, empty where a token is not made from text; `merges` the best first.
  ByteBpe(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges, const Options& options);

  /// Appends the tokens of a word that is UTF-8. Linear, or n log n at worst.
  void encode_word(std::string_view word, std::vector<int32_t>& tokens) const;

 private:
  struct Character {
    int32_t id = -1;         // -1: its bytes do not become one token.
    uint32_t last_rank = 0;  // The worst merge on the way.
  };

  void add_merges(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges);
  void add_borders(std::string_view left, std::string_view right);
  void add_characters(std::span<const std::string> pieces, std::span<const Bpe::ListedMerge> merges);
  void merge_word(std::string_view word, std::vector<int32_t>& tokens) const;
  bool goes_first(const Character& character, std::string_view word, size_t begin, size_t end) const;

  Options options_;
  std::array<int32_t, 256> byte_id_{};
  CharTable<Character> characters_;
  // By the last byte before a border of characters and the first one after it: the best merge across that border that
  // has a part of a character on either side.
  std::vector<uint32_t> torn_rank_;
  PairTable pairs_;
  BorderFilter borders_;  // That are inside pieces.
  WordTable words_;
};

}  // namespace tinyllm
