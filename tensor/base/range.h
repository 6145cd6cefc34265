#pragma once

#include <cmath>
#include <limits>
#include <string>

namespace tinyllm {

/// The numbers that a field or an option accepts. NaN and infinity are never among them.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool excludes_low = false;
  bool excludes_high = false;

  bool contains(double value) const {
    return std::isfinite(value) && (excludes_low ? value > low : value >= low) &&
           (excludes_high ? value < high : value <= high);
  }
};

constexpr Range any_number() { return {}; }
constexpr Range at_least(double low) { return {.low = low}; }
constexpr Range above(double low) { return {.low = low, .excludes_low = true}; }
constexpr Range between(double low, double high) { return {.low = low, .high = high}; }
constexpr Range fraction() { return between(0, 1); }
/// [0, 1): for a probability, or for the decay of an average.
constexpr Range below_one() { return {.low = 0, .high = 1, .excludes_high = true}; }
/// (0, 1].
constexpr Range fraction_above_zero() { return {.low = 0, .high = 1, .excludes_low = true}; }

/// `1 to 256`, `a whole number of at least 1`, `a number above 0 and at most 1`.
std::string description_of(const Range& range, bool is_whole);

}  // namespace tinyllm
