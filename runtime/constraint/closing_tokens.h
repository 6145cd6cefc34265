// How many tokens complete a text. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/json_matcher.h>
#include <tinyllm/runtime/constraint/token_trie.h>

#include <mutex>
#include <string>
#include <unordered_map>

namespace tinyllm {

/// The bytes of a state: equal for equal states alone.
std::string key_of(const JsonState& state);

/// Counts the tokens of one shortest closing of each state: of those with the fewest bytes, the first in an order of
/// bytes that is fixed. So the rest of a closing is the closing of the state that its beginning leads to, and whoever
/// writes its tokens needs one fewer after each. Any number of threads may ask at a time.
class ClosingTokens {
 public:
  /// Both must outlive it.
  ClosingTokens(const JsonMatcher& matcher, const ConstraintVocabulary& vocabulary)
      : matcher_(matcher), vocabulary_(vocabulary) {}

  /// The fewest tokens of the closing, at most as many as it has bytes. 0: the text may end here.
  int64_t count(const JsonState& state);

  /// Bytes of counts that are kept.
  static constexpr size_t kMaxKeptBytes = size_t{64} << 10;

 private:
  /// A closing, and the state before each of its bytes.
  struct Closing {
    std::string text;
    std::vector<JsonState> states;
  };
  Closing closing_of(const JsonState& state) const;
  void count_all(const Closing& closing);
  template <class Visit>
  void visit_tokens(const Closing& closing, size_t begin, Visit visit) const;

  const JsonMatcher& matcher_;
  const ConstraintVocabulary& vocabulary_;
  std::mutex mutex_;
  std::unordered_map<std::string, int64_t> kept_;
  size_t kept_bytes_ = 0;
};

}  // namespace tinyllm
