#pragma once

#include <tinyllm/model/text/regex/char_classes.h>
#include <tinyllm/model/text/regex/pattern.h>

#include <array>
#include <cstdint>
#include <vector>

namespace tinyllm {

/// A regular expression compiled to instructions for a backtracking matcher.
struct RegexProgram {
  enum class Op : uint8_t {
    set,       // One character of `set`.
    run,       // As many characters of `set` as possible, `least` to `most`; fewer if the rest does not match.
    run_lazy,  // As few as possible.
    run_all,   // As many as possible, never fewer.
    split,     // Tries `to`, then `other`. If `has_first` and the next character is not in `set`, only `other`.
    jump,      // To `to`.
    mark,      // Stores the position as mark `other`.
    progress,  // Jumps to `to` if the position is still that of mark `other`.
    atomic,    // Matches the code up to its own `match`, never backtracks into it; continues at `to`.
    ahead,     // The same without consuming; `negated`: must not match.
    behind,    // The same, starting `least` characters earlier.
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
  /// By the class of the next character: the alternatives of the whole pattern that may match there. Then the same at
  /// the end of the text.
  std::array<std::vector<uint32_t>, CharClasses::kMaxClasses> starts;
  std::vector<uint32_t> starts_at_end;
  uint32_t marks = 0;
  uint32_t word_set = 0;
};

/// Throws Error when a pattern is too large, or has a look-behind without a fixed length.
RegexProgram compile_pattern(const PatternNode& pattern);

}  // namespace tinyllm
