#pragma once

#include <cstdint>

namespace tinyllm {

/// Where the true value is, with a confidence of 95 %.
struct Interval {
  double low = 0;
  double high = 1;

  bool contains(double value) const { return low <= value && value <= high; }
};

/// The Wilson score interval of a rate of `right` in `total`; 0 to 1 if the total is 0. Unlike the normal
/// approximation it stays within 0 to 1 and is not empty at either end. Source: Wilson, "Probable Inference, the Law of
/// Succession, and Statistical Inference", 1927.
Interval wilson(int64_t right, int64_t total);

}  // namespace tinyllm
