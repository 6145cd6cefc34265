#pragma once

#include <unicode/uniset.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace tinyllm {

struct PatternNode;

/// A regular expression that is matched character by character, at every place of a text at once. All ways to match are
/// followed together, so that a character takes time in proportion to the pattern. Source: Thompson, "Regular
/// Expression Search Algorithm", 1968.
class StreamPattern {
 public:
  /// The most characters of a match that are remembered.
  static constexpr uint32_t kMaxMatch = 256;

  /// Throws Error on a pattern that is wrong, too large, matches the empty text, or looks around.
  explicit StreamPattern(std::string_view pattern);

  /// The ways to match that are under way: for each step of the pattern, how many characters the longest of them has
  /// taken; 0: none is there.
  using State = std::vector<uint16_t>;
  State start() const { return State(steps_.size()); }
  /// Takes a character. Returns the characters of the longest match that it ends, or 0.
  uint32_t take(State& state, char32_t c) const;
  /// The characters of the longest way to match.
  static uint32_t longest(const State& state);

 private:
  struct Step {
    icu::UnicodeSet set;         // What it takes.
    std::vector<uint32_t> next;  // The steps that may follow.
    bool is_end = false;         // Nothing need follow.
  };
  // Part of the pattern: where it may begin and end, and whether it may be skipped.
  struct Part {
    std::vector<uint32_t> begins, ends;
    bool may_be_empty = true;
  };
  Part add(const PatternNode& node);
  Part sequence(Part first, const Part& second);
  Part repeated(const PatternNode& node);

  std::vector<Step> steps_;
  std::vector<uint32_t> begins_;
};

}  // namespace tinyllm
