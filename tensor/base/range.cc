#include <tinyllm/tensor/base/range.h>

#include <fmt/format.h>

namespace tinyllm {

std::string description_of(const Range& range, bool is_whole) {
  const auto number = [&](double value) {
    return is_whole && std::abs(value) < 1e15 ? fmt::format("{:.0f}", value) : fmt::format("{:g}", value);
  };
  const bool has_low = std::isfinite(range.low), has_high = std::isfinite(range.high);
  if (has_low && has_high && !range.excludes_low && !range.excludes_high) {
    return fmt::format("{} to {}", number(range.low), number(range.high));
  }
  std::string text = is_whole ? "a whole number" : "a number";
  if (has_low) text += fmt::format(" {} {}", range.excludes_low ? "above" : "of at least", number(range.low));
  if (has_high) {
    const char* bound = range.excludes_high ? "below" : has_low ? "at most" : "of at most";
    text += fmt::format("{}{} {}", has_low ? " and " : " ", bound, number(range.high));
  }
  return text;
}

}  // namespace tinyllm
