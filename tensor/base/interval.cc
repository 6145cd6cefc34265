#include <tinyllm/tensor/base/interval.h>

#include <cmath>

namespace tinyllm {

Interval wilson(int64_t right, int64_t total) {
  constexpr double kZ = 1.959963984540054;  // The normal distribution has 95 % within this many deviations.
  if (total == 0) return {};
  const auto n = static_cast<double>(total), rate = static_cast<double>(right) / n;
  const double middle = rate + kZ * kZ / (2 * n);
  const double reach = kZ * std::sqrt(rate * (1 - rate) / n + kZ * kZ / (4 * n * n));
  const double whole = 1 + kZ * kZ / n;
  // At the ends the formula gives 0 and 1, but for rounding.
  return {right == 0 ? 0 : (middle - reach) / whole, right == total ? 1 : (middle + reach) / whole};
}

}  // namespace tinyllm
