#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyllm {

/// Whether characters of double and single width are made one.
enum class Width {
  kKeep,
  kFold,  ///< Letters, digits and blanks of full width become those of ASCII; Chinese punctuation stays.
  kNfkc,  ///< All compatibility characters (Unicode Standard Annex 15), Chinese punctuation too.
};

/// What normalising changed, in characters.
struct NormaliseCounts {
  int64_t controls = 0;     ///< Control characters and terminal escapes, left out.
  int64_t invisible = 0;    ///< Marks of zero width, soft hyphens, left out.
  int64_t private_use = 0;  ///< Of private use, or none at all, left out.
  int64_t undecodable = 0;  ///< U+FFFD, left out.
  int64_t folded = 0;       ///< Width; with kNfkc, lines in which anything was.
  int64_t entities = 0;     ///< &amp; and the like, decoded.
  int64_t repeated = 0;     ///< The rest of runs of one character, left out.

  NormaliseCounts& operator+=(const NormaliseCounts& other);
};

/// A line of UTF-8 without line ends, written in one way: what has no place in a text is left out, character entities
/// are decoded, runs of blanks become one blank, blanks at both ends go, marks such as `，` or `!` stand once where
/// they stood four times or more, other characters thrice where they stood eight times or more (digits stay). Appends
/// to `out`.
void normalise(std::string_view line, Width width, std::string& out, NormaliseCounts& counts);

}  // namespace tinyllm
