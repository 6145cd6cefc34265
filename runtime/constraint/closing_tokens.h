// How many tokens complete a text. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/json_matcher.h>
#include <tinyllm/runtime/constraint/token_trie.h>

#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tinyllm {

/// The bytes of a state: equal for equal states alone.
std::string key_of(const JsonState& state);

/// Counts the tokens of one shortest closing of each state: of those with the fewest bytes, the first in an order of
/// bytes that is fixed. So the rest of a closing is the closing of the state that its beginning leads to, and whoever
/// writes its tokens needs one fewer after each, and what is known of it is known of all that lead to it. Any number of
/// threads may ask at a time.
class ClosingTokens {
 public:
  /// Both must outlive it.
  ClosingTokens(const JsonMatcher& matcher, const ConstraintVocabulary& vocabulary)
      : matcher_(matcher), vocabulary_(vocabulary) {}

  /// The fewest tokens of the closing, at most as many as it has bytes. 0: the text may end here.
  int64_t count(const JsonState& state);

  /// Bytes of what is kept.
  static constexpr size_t kMaxKeptBytes = size_t{2} << 20;
  /// Bytes that were tried, for tests: what walks along closings have cost.
  int64_t steps() const { return steps_; }

 private:
  /// The first byte of the closing of a state, and what follows it.
  struct Step {
    int64_t count = 0;           ///< Tokens.
    const Step* next = nullptr;  ///< Of the state after the byte; null: the text may end here.
    unsigned char byte = 0;
    bool is_in_form = false;
  };
  const Step* follow(const JsonState& state);
  const Step* add_steps(JsonState state, std::vector<Step*>& added);
  int64_t fewest_tokens(const Step& first) const;
  void forget();

  const JsonMatcher& matcher_;
  const ConstraintVocabulary& vocabulary_;
  std::mutex mutex_;
  std::unordered_map<std::string, Step> kept_;  // By state.
  size_t kept_bytes_ = 0;
  int64_t steps_ = 0;
};

}  // namespace tinyllm
