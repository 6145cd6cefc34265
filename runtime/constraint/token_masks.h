// Which tokens may follow a state of a matcher. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/closing_tokens.h>

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tinyllm {

/// A set of tokens: one that many masks share, with some more and without others.
struct TokenMask {
  const std::vector<bool>* base = nullptr;  ///< Null: none.
  std::vector<int32_t> added;
  std::vector<int32_t> removed;
  int64_t longest_closing = 0;  ///< Over all of them: the fewest bytes that complete the text after the token.

  std::vector<bool> bits(size_t size) const;
};

/// The masks of one grammar and one vocabulary. Any number of threads may ask at a time.
class TokenMasks {
 public:
  TokenMasks(std::shared_ptr<const JsonGrammar> grammar, std::shared_ptr<const ConstraintVocabulary> vocabulary)
      : grammar_(std::move(grammar)),
        vocabulary_(std::move(vocabulary)),
        matcher_(*grammar_),
        closing_(matcher_, *vocabulary_) {}

  /// The tokens after which the text can still be completed. End tokens are among them where it is complete.
  std::shared_ptr<const TokenMask> mask(const JsonState& state);
  /// Of them those after which `most` tokens complete it.
  TokenMask closing_mask(const JsonState& state, int64_t most);
  /// The fewest tokens that complete the text, as far as `closing_mask` knows.
  int64_t closing_tokens(const JsonState& state) { return closing_.count(state); }

  int64_t closing_steps() const { return closing_.steps(); }

  const JsonMatcher& matcher() const { return matcher_; }
  const JsonGrammar& grammar() const { return *grammar_; }
  const ConstraintVocabulary& vocabulary() const { return *vocabulary_; }

  /// Bytes of masks that are kept for when a state comes again.
  static constexpr size_t kMaxKeptBytes = size_t{256} << 10;

 private:
  TokenMask compute(const JsonState& state, int64_t most);
  bool decides_plain(const JsonState& state, int64_t most, TokenMask& mask);
  void walk(const TokenTrie& trie, const JsonState& state, int64_t most, TokenMask& mask);
  void share_all(TokenMask& mask) const;
  void try_markers(const JsonState& state, int64_t most, TokenMask& mask);

  std::shared_ptr<const JsonGrammar> grammar_;
  std::shared_ptr<const ConstraintVocabulary> vocabulary_;
  JsonMatcher matcher_;
  ClosingTokens closing_;

  struct Kept {
    std::string state;
    std::shared_ptr<const TokenMask> mask;
    size_t bytes() const {
      return sizeof(Kept) + state.size() * 2 + (mask->added.size() + mask->removed.size()) * sizeof(int32_t);
    }
  };
  std::mutex mutex_;
  std::list<Kept> kept_;  // The last used one first.
  std::unordered_map<std::string_view, std::list<Kept>::iterator> index_;
  size_t kept_bytes_ = 0;
};

}  // namespace tinyllm
