#include <tinyllm/runtime/constraint/decimal.h>

#include <tinyllm/runtime/constraint/json_grammar.h>

#include <algorithm>

namespace tinyllm {
namespace {

using Part = DecimalPrefix::Part;
constexpr int64_t kNever = JsonGrammar::kNever;

int64_t power_of_ten(int exponent) {
  int64_t power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// Digits after the point, at least `from`, until a number of `low` to `high` units exists; -1: none.
int digits_needed(int64_t low, int64_t high, int from, int decimals) {
  for (int digits = from; digits <= decimals && low <= high; ++digits) {
    const int64_t step = power_of_ten(decimals - digits);
    if ((low + step - 1) / step * step <= high) return digits;
  }
  return -1;
}

}  // namespace

bool DecimalPrefix::append(unsigned char byte) {
  if (byte == '-' && part == Part::start) {
    part = Part::minus;
    is_negative = true;
    return true;
  }
  if (byte == '.' && part == Part::whole) {
    part = Part::point;
    return true;
  }
  if (byte < '0' || byte > '9') return false;
  if (part == Part::whole && magnitude == 0) return false;  // 0 is followed by no digit.
  part = part == Part::point || part == Part::fraction ? Part::fraction : Part::whole;
  if (part == Part::fraction) ++digits;
  magnitude = magnitude * 10 + (byte - '0');
  return true;
}

int64_t shortest_decimal(int64_t least, int64_t most, int decimals, const DecimalPrefix& prefix) {
  if (prefix.part == Part::start || prefix.part == Part::minus) {
    int64_t shortest = kNever;
    for (const char byte : {'-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'}) {
      DecimalPrefix next = prefix;
      if (next.append(static_cast<unsigned char>(byte))) {
        shortest = std::min(shortest, 1 + shortest_decimal(least, most, decimals, next));
      }
    }
    return std::min(kNever, shortest);
  }
  // Magnitudes of numbers with this sign. There is no -0.
  const int64_t low = prefix.is_negative ? std::max<int64_t>(1, -most) : std::max<int64_t>(0, least);
  const int64_t high = prefix.is_negative ? -least : most;
  const int64_t unit = power_of_ten(decimals);
  if (prefix.part != Part::whole) {
    if (prefix.digits > decimals) return kNever;
    const int64_t step = power_of_ten(decimals - prefix.digits);
    const int64_t first = prefix.magnitude * step;
    const int from = std::max(prefix.digits, prefix.part == Part::point ? 1 : 0);
    const int digits = digits_needed(std::max(low, first), std::min(high, first + step - 1), from, decimals);
    return digits < 0 ? kNever : digits - prefix.digits;
  }
  int64_t shortest = kNever;
  int64_t first = prefix.magnitude, last = prefix.magnitude;  // Whole parts with this beginning.
  for (int more = 0; first <= high / unit; ++more) {
    const int64_t from = first * unit, to = std::min(last, high / unit) * unit + unit - 1;
    const int digits = digits_needed(std::max(low, from), std::min(high, to), 0, decimals);
    if (digits >= 0) shortest = std::min<int64_t>(shortest, more + digits + (digits > 0 ? 1 : 0));
    if (first == 0) break;  // Not 01.
    first *= 10;
    last = last * 10 + 9;
  }
  return shortest;
}

}  // namespace tinyllm
