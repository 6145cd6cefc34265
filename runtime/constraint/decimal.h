// Numbers between two bounds, digit by digit. For the files of this folder alone.
#pragma once

#include <cstdint>

namespace tinyllm {

/// A beginning of a number, such as "-12.3".
struct DecimalPrefix {
  enum class Part : uint16_t { start, minus, whole, point, fraction };
  Part part = Part::start;
  bool is_negative = false;
  int digits = 0;         ///< After the point.
  int64_t magnitude = 0;  ///< Of all digits: 123.

  /// Whether a byte can follow; appends it then. Does not look at bounds.
  bool append(unsigned char byte);
};

/// Fewest bytes after a prefix that make it a number of `least` to `most` units, each 10^-decimals; JsonGrammar::kNever
/// when none do. Bounds have at most 15 digits.
int64_t shortest_decimal(int64_t least, int64_t most, int decimals, const DecimalPrefix& prefix);

}  // namespace tinyllm
