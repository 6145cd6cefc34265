#pragma once

#include <tinyllm/model/text/bpe.h>
#include <tinyllm/model/text/byte_bpe.h>
#include <tinyllm/model/text/hf/added_tokens.h>
#include <tinyllm/model/text/word_table.h>
#include <tinyllm/tensor/base/json.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The `model` of a tokenizer.json: pieces and merges. Immutable.
class HfVocabulary {
 public:
  /// Merges that produce a special token are ignored. Throws Error unless the model is byte pair encoding, each id has
  /// one token, and each merge joins two tokens into a third.
  HfVocabulary(const Json& json, bool byte_level, const HfAddedTokens& added);

  /// Texts of tokens as in the file, by id; empty if the id is not used.
  const std::vector<std::string>& texts() const { return texts_; }
  /// Appends the tokens of a word.
  void encode_word(std::string_view word, std::vector<int32_t>& tokens) const;

 private:
  std::vector<Bpe::ListedMerge> read_merges(const Json& json) const;
  int32_t id_of(std::string_view text) const;

  std::vector<std::string> texts_;
  WordTable ids_;
  std::vector<std::pair<std::string, int32_t>> long_ids_;  // Sorted.
  WordTable words_;  // With `ignore_merges` over characters: words that are one token.
  std::unique_ptr<const ByteBpe> bytes_;
  std::unique_ptr<const Bpe> characters_;
};

}  // namespace tinyllm
