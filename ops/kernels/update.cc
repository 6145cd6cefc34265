#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

void blend(int64_t n, float factor, const float* x, float keep, float* total) {
  for_each_vector(n, [&](int64_t i, int64_t count) {
    store_any(total + i, load_any(total + i, count) * keep + factor * load_any(x + i, count), count);
  });
}

void adamw(int64_t n, const AdamWStep& s, const float* grad, float* param, float* m, float* v) {
  const float keep = 1.0f - s.rate * s.decay;
  const float step = s.rate / s.correction1;
  const float scale2 = 1.0f / s.correction2;
  for_each_vector(n, [&](int64_t i, int64_t count) {
    const Vf g = load_any(grad + i, count) * s.factor;
    const Vf next_m = s.beta1 * load_any(m + i, count) + (1.0f - s.beta1) * g;
    const Vf next_v = s.beta2 * load_any(v + i, count) + (1.0f - s.beta2) * g * g;
    store_any(m + i, next_m, count);
    store_any(v + i, next_v, count);
    store_any(param + i, load_any(param + i, count) * keep - step * next_m / (sqrt(next_v * scale2) + s.eps), count);
  });
}

// Sums in double, in kWidth interleaved partial sums.
template <class F>
inline double sum_doubles(int64_t n, const float* x, F f) {
  double partial[kWidth] = {};
  int64_t i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    for (int64_t j = 0; j < kWidth; ++j) partial[j] += f(static_cast<double>(x[i + j]));
  }
  double total = 0;
  for (; i < n; ++i) total += f(static_cast<double>(x[i]));
  for (int64_t j = 0; j < kWidth; ++j) total += partial[j];
  return total;
}

double sum_of_squares(int64_t n, const float* x) {
  return sum_doubles(n, x, [](double a) { return a * a; });
}

double sum(int64_t n, const float* x) {
  return sum_doubles(n, x, [](double a) { return a; });
}

}  // namespace

void fill_update(Kernels& table) {
  table.blend = blend;
  table.adamw = adamw;
  table.sum_of_squares = sum_of_squares;
  table.sum = sum;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
