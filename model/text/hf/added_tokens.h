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

/// The `added_tokens` of a tokenizer.json: a text is searched for them before it is normalised, split and encoded.
/// Immutable.
class HfAddedTokens {
 public:
  struct Token {
    int32_t id = 0;
    std::string content;
    bool special = false;
    bool single_word = false;  // Only matches a whole word.
    bool lstrip = false;       // Absorbs the blanks before it.
    bool rstrip = false;
    bool normalized = false;  // Searched for in the normalised text, not in the raw text.
  };

  HfAddedTokens() = default;
  /// Null: no tokens. Throws Error on a token with a wrong id or without text.
  HfAddedTokens(const Json* json, const HfNormalizer& normalizer);

  const std::vector<Token>& tokens() const { return tokens_; }
  const Token* with_id(int32_t id) const;
  const Token* with_text(std::string_view text) const;
  bool any_normalized() const { return any_[1]; }

  /// An added token, or the text between two of them.
  struct Part {
    const Token* token = nullptr;
    TextRange range;
  };
  /// Cuts a text at its added tokens. Looks only for those whose `normalized` is as given. The leftmost match is taken,
  /// and the longest of those. A match that overlaps a `typed` range is ignored. The ranges are in order and do not
  /// overlap.
  std::vector<Part> split(std::string_view text, bool normalized, std::span<const TextRange> typed) const;

 private:
  std::vector<Token> tokens_;
  std::map<int32_t, size_t> index_of_id_;
  std::map<std::string, size_t, std::less<>> index_of_text_;
  // [0] for tokens in the raw text, [1] for tokens in the normalised text.
  std::array<TextTrie, 2> tries_;
  std::array<std::array<bool, 256>, 2> begins_{};
  std::array<bool, 2> any_{};
};

}  // namespace tinyllm
