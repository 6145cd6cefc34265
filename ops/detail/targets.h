#pragma once

#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/op.h>

// What `cross_entropy` and `linear_cross_entropy` share: which rows carry a loss.
namespace tinyllm {

/// The number of targets that are not kIgnore. Throws Error on one outside [0, v).
inline int64_t count_targets(const char* op, const View& targets, int64_t v) {
  int64_t count = 0;
  for (int64_t i = 0; i < targets.size(); ++i) {
    const int32_t target = targets.i32()[i];
    if (target == kIgnore) continue;
    if (target < 0 || target >= v) {
      throw Error("{}: target {} at position {}, expected 0 to {}, or {} for none", op, target, i, v - 1, kIgnore);
    }
    ++count;
  }
  return count;
}

/// Whether `targets` has one element for each row of `x`.
inline bool is_one_for_each_row(const Shape& x, const Shape& targets) {
  return x.rank() >= 1 && x.row() >= 1 && targets.rank() == x.rank() - 1 &&
         std::equal(targets.begin(), targets.end(), x.begin());
}

}  // namespace tinyllm
