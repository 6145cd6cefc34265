#pragma once

#include <tinyllm/tensor/base/error.h>

#include <cstdint>

namespace tinyllm {

/// a + b. Throws Error when T cannot hold the sum: sizes may come from a file that was not checked.
template <class T>
constexpr T checked_add(T a, T b) {
  T sum{};
  if (__builtin_add_overflow(a, b, &sum)) throw Error("{} + {} is too large for a size", a, b);
  return sum;
}

/// a * b. Throws Error when T cannot hold the product.
template <class T>
constexpr T checked_mul(T a, T b) {
  T product{};
  if (__builtin_mul_overflow(a, b, &product)) throw Error("{} * {} is too large for a size", a, b);
  return product;
}

/// n / by, rounded up, for n >= 0 and by > 0.
constexpr int64_t ceil_div(int64_t n, int64_t by) { return n / by + (n % by != 0 ? 1 : 0); }

}  // namespace tinyllm
