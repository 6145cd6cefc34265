// Follows a text byte by byte through a grammar. For the files of this folder alone.
#pragma once

#include <tinyllm/runtime/constraint/json_frame.h>
#include <tinyllm/runtime/constraint/json_grammar.h>

#include <span>
#include <vector>

namespace tinyllm {

/// Where a text may stand in a grammar: at most 8 stacks of open values, one for each way to read the text, the
/// document at the bottom of each.
struct JsonState {
  std::vector<JsonFrame> frames;  ///< Of all stacks, one after the other.
  std::vector<size_t> ends;       ///< Of each stack.

  size_t stacks() const { return ends.size(); }
  std::span<const JsonFrame> stack(size_t i) const {
    const size_t begin = i == 0 ? 0 : ends[i - 1];
    return std::span(frames).subspan(begin, ends[i] - begin);
  }
  bool operator==(const JsonState&) const = default;
};

class JsonMatcher {
 public:
  /// The grammar must outlive the matcher.
  explicit JsonMatcher(const JsonGrammar& grammar) : grammar_(grammar) {}

  /// Before the first byte.
  JsonState begin() const;
  /// Makes `next` the state after one more byte. Returns false when the byte cannot follow. Every state that is reached
  /// can be completed.
  bool read(const JsonState& state, unsigned char byte, JsonState& next) const;
  /// Whether the text may end here.
  bool is_complete(const JsonState& state) const { return shortest(state) == 0; }
  /// Whether no JSON value is open.
  bool is_in_form(const JsonState& state) const;
  /// Fewest bytes that complete the text.
  int64_t shortest(const JsonState& state) const;
  int64_t shortest(std::span<const JsonFrame> stack) const;
  /// Of a stack that is inside a string, between two characters: how many more characters may follow. -1: it is not.
  int64_t string_room(std::span<const JsonFrame> stack) const;
  /// Of such a stack: whether the string has as many characters as it must have.
  bool may_end_string(std::span<const JsonFrame> stack) const;

 private:
  const JsonGrammar& grammar_;
};

}  // namespace tinyllm
