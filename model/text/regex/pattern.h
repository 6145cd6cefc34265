#pragma once

#include <unicode/uniset.h>

#include <cstdint>
#include <string_view>
#include <vector>

namespace tinyllm {

/// A regular expression as a tree.
struct PatternNode {
  enum class Kind : uint8_t {
    set,         // One character of `set`.
    sequence,    // The children one after the other.
    choice,      // The first child with which the whole pattern matches.
    repeat,      // The child `least` to `most` times.
    atomic,      // The child, but only its first match is tried.
    look_ahead,  // The child matches here, or does not (`negated`). Consumes nothing.
    look_behind,
    place,  // An anchor: matches the empty text at such a position.
  };
  enum class Greed : uint8_t { greedy, lazy, possessive };
  enum class Place : uint8_t { text_begin, text_end, last_line_end, line_begin, line_end, word_border, no_word_border };
  static constexpr uint32_t kUnbounded = UINT32_MAX;

  Kind kind = Kind::sequence;
  bool negated = false;
  Greed greed = Greed::greedy;
  Place place = Place::text_begin;
  uint32_t least = 0;
  uint32_t most = 0;
  icu::UnicodeSet set;
  std::vector<PatternNode> children;
};

/// Parses a pattern in Oniguruma's Ruby syntax, which tokenizer.json files use. It supports classes with ranges, `&&`
/// and nesting, `\p{...}`, groups (without captures), `(?i)`, `(?m)` (a dot matches line feeds), `(?>...)`, look-ahead
/// and look-behind, and greedy, lazy and possessive repeats. Throws Error on a pattern that is wrong, too large or
/// nested too deeply, and on what is not supported: back references, calls, conditions, `\R`, `\X` and `\K`.
PatternNode parse_pattern(std::string_view pattern);

}  // namespace tinyllm
