#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tinyllm {

/// What of persons is replaced.
struct MaskOptions {
  bool email = false;  ///< By <email>.
  bool phone = false;  ///< By <phone>: mobile and landline numbers of China, and ten digits as in North America.
  bool id = false;     ///< By <id>: numbers of Chinese identity cards whose check digit is right (GB 11643-1999).

  bool any() const { return email || phone || id; }
};

struct MaskCounts {
  int64_t emails = 0;
  int64_t phones = 0;
  int64_t ids = 0;
};

/// The text with what the options name replaced.
std::string mask(std::string_view text, const MaskOptions& options, MaskCounts& counts);

}  // namespace tinyllm
