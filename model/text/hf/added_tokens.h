#pragma once

#include <tinyllm/model/text/hf/normalizer.h>
#include <tinyllm/model/text/hf_tokenizer.h>
#include <tinyllm/model/text/text_trie.h>
#include <tinyllm/tensor/base/json.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tinyllm {

/// The `added_tokens` of a tokenizer.json: tokens that are found in a text before anything else is done to it.
/// Immutable.
class HfAddedTokens {
 public:
  struct Token {
    int32_t id = 0;
    std::string content;
    bool special = false;
    bool single_word = false;  // Not within a word.
    bool lstrip = false;       // Takes the blanks before it.
    bool rstrip = false;
    bool normalized = false;  // Found in the normalised text.
  };

  HfAddedTokens() = default;
  /// Null: none. Throws Error on a token with a wrong id or without text.
  HfAddedTokens(const Json* json, const HfNormalizer& normalizer);

  const std::vector<Token>& tokens() const { return tokens_; }
  const Token* with_id(int32_t id) const;
  const Token* with_text(std::string_view text) const;
  bool any_normalized() const { return any_[1]; }

  /// The text from one added token to the next: a token, or a range of text.
  struct Part {
    const Token* token = nullptr;
    TextRange range;
  };
  /// Only tokens that are `normalized`, or only the others. The leftmost match, of those the longest. None is found
  /// that has a byte of the `typed` ranges, which are in order and do not overlap.
  std::vector<Part> split(std::string_view text, bool normalized, std::span<const TextRange> typed) const;

 private:
  std::vector<Token> tokens_;
  std::map<int32_t, size_t> index_of_id_;
  std::map<std::string, size_t, std::less<>> index_of_text_;
  // Of the tokens that are found in raw and in normalised text.
  std::array<TextTrie, 2> tries_;
  std::array<std::array<bool, 256>, 2> begins_{};
  std::array<bool, 2> any_{};
};

}  // namespace tinyllm
