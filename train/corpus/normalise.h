#pragma once

#include <tinyllm/tensor/base/names.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyllm::corpus {

/// How full-width characters are written.
enum class Width {
  keep,
  fold,  ///< Letters, digits and blanks of full width become those of ASCII; Chinese punctuation stays.
  nfkc,  ///< All compatibility characters (Unicode Standard Annex 15), Chinese punctuation too.
};
constexpr auto names(Width) { return std::array{"keep", "fold", "nfkc"}; }

/// What normalising changed, in characters.
struct NormaliseCounts {
  int64_t controls = 0;     ///< Control characters and terminal escapes, removed.
  int64_t invisible = 0;    ///< Zero-width characters and soft hyphens, removed.
  int64_t private_use = 0;  ///< Private-use characters and noncharacters, removed.
  int64_t undecodable = 0;  ///< U+FFFD, removed unless they are kept.
  int64_t folded = 0;       ///< Width folded: characters, or lines with Width::nfkc.
  int64_t entities = 0;     ///< &amp; and the like, decoded.
  int64_t repeated = 0;     ///< The rest of runs of one character, removed.

  NormaliseCounts& operator+=(const NormaliseCounts& other);
};

/// Appends a line of UTF-8 without line ends to `out`, written in one way:
///   what does not belong in a text is removed (NormaliseCounts)
///   character entities are decoded
///   runs of blanks become one blank, or one tab if they hold one: it separates the cells of a table; blanks at both
///   ends are removed
///   a mark such as `，` or `!` that is repeated four times or more becomes one
///   any other character, except digits, that is repeated eight times or more becomes three
/// `keeps_replacements` keeps U+FFFD, which the writer of a text may have meant.
void normalise(std::string_view line, Width width, std::string& out, NormaliseCounts& counts,
               bool keeps_replacements = false);

}  // namespace tinyllm::corpus
