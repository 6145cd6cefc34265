#pragma once

#include <tinyllm/model/text/regex/char_classes.h>
#include <tinyllm/model/text/regex/pattern.h>

#include <array>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A regular expression as instructions of a matcher that goes back where it must.
struct RegexProgram {
  enum class Op : uint8_t {
    set,       // One character of `set`.
    run,       // As many characters of `set` as there are, `least` to `most`; fewer if the rest does not match.
    run_lazy,  // As few as possible.
    run_all,   // As many as there are, never fewer.
    split,     // Goes on at `to`, or else at `other`; at `other` alone if `has_first` and no character of `set` comes
               // next.
    jump,      // To `to`.
    mark,      // Keeps the position as number `other`.
    progress,  // Goes to `to` if the position is still that of number `other`.
    atomic,    // Matches what follows, up to its own `match`, once and for all; goes on at `to`.
    ahead,     // The same without moving; `negated`: it must not match.
    behind,    // The same from `least` characters before.
    place,
    match,
  };
  struct Instruction {
    Op op = Op::match;
    bool negated = false;
    bool has_first = false;
    PatternNode::Place place = PatternNode::Place::text_begin;
    uint32_t set = 0;
    uint32_t least = 0;
    uint32_t most = 0;
    uint32_t to = 0;
    uint32_t other = 0;
  };

  std::vector<Instruction> code;
  CharClasses classes;
  /// The alternatives of the whole pattern that may match where a character of each class comes next, and at the end.
  std::array<std::vector<uint32_t>, CharClasses::kMaxClasses> starts;
  std::vector<uint32_t> starts_at_end;
  uint32_t marks = 0;
  uint32_t word_set = 0;
};

/// Throws Error when a pattern is too large, or looks behind at parts of no fixed length.
RegexProgram compile_pattern(const PatternNode& pattern);

}  // namespace tinyllm
