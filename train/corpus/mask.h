#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyllm::corpus {

/// Which personal data are replaced.
struct MaskOptions {
  bool email = false;  ///< Becomes `<email>`; names and domains may have letters of any script.
  bool phone = false;  ///< Becomes `<phone>`: numbers of China and North America, and any after + and a country code.
  bool id = false;     ///< Becomes `<id>`: numbers of Chinese identity cards with a valid check digit (GB 11643-1999).

  bool any() const { return email || phone || id; }
};

struct MaskCounts {
  int64_t emails = 0;
  int64_t phones = 0;
  int64_t ids = 0;
};

/// Replaces personal data in a UTF-8 text as the options say. A number counts only as a whole: not within a longer
/// one, a word or a decimal. A number that the text calls an order, a room, an ISBN or the like is not a telephone
/// number. Takes time in proportion to the text.
std::string mask(std::string_view text, const MaskOptions& options, MaskCounts& counts);

}  // namespace tinyllm::corpus
