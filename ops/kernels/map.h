#pragma once

#include <tinyllm/ops/kernels/elementwise.h>
#include <tinyllm/ops/kernels/simd.h>

// The loops of elementwise kernels: a function of vectors becomes a function of ranges.
namespace tinyllm::kernels::TINYLLM_ISA {

inline Vi load_any(const int32_t* p, int64_t n) {
  return reinterpret_cast<Vi>(load_any(reinterpret_cast<const float*>(p), n));
}
inline void store_any(int32_t* p, Vi x, int64_t n) {
  store_any(reinterpret_cast<float*>(p), reinterpret_cast<Vf>(x), n);
}
inline Vi splat(int32_t x) { return x - Vi{}; }

template <class X, class Y, class F>
inline void map(int64_t size, const X* x, Y* out, F f) {
  for_each_vector(size, [&](int64_t i, int64_t n) { store_any(out + i, f(load_any(x + i, n)), n); });
}

template <class X, class Y, class Z, class F>
inline void map(int64_t size, const X* x, const Y* y, Z* out, F f) {
  for_each_vector(size,
                  [&](int64_t i, int64_t n) { store_any(out + i, f(load_any(x + i, n), load_any(y + i, n)), n); });
}

template <class X, class Y, class F>
inline void map(int64_t size, Operand<X> x, Operand<X> y, Y* out, F f) {
  if (x.repeated) {
    const auto a = splat(*x.data);
    map(size, y.data, out, [&](auto b) { return f(a, b); });
  } else if (y.repeated) {
    const auto b = splat(*y.data);
    map(size, x.data, out, [&](auto a) { return f(a, b); });
  } else {
    map(size, x.data, y.data, out, f);
  }
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
