#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

// The sum of f(i, n) over the vectors of a row. f returns zeros after the end of the row.
template <class F>
inline float sum_over(int64_t c, F f) {
  Vf total = {};
  for_each_vector(c, [&](int64_t i, int64_t n) { total += f(i, n); });
  return sum(total);
}

inline float row_max(int64_t c, const float* x) {
  float most = x[0];
  Vf vectors = splat(most);
  for_each_vector(c, [&](int64_t i, int64_t n) {
    if (n == kWidth) {
      vectors = greater(load(x + i), vectors);
    } else {
      for (int64_t j = i; j < c; ++j) most = x[j] > most ? x[j] : most;
    }
  });
  const float other = greatest(vectors);
  return other > most ? other : most;
}

inline float reciprocal_root(float x) { return 1.0f / __builtin_sqrtf(x); }

void rms_norm(int64_t rows, int64_t c, const float* x, const float* w, float eps, float* y, float* inverse_rms) {
  for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
    const float squares = sum_over(c, [&](int64_t i, int64_t n) {
      const Vf a = load_any(x + i, n);
      return a * a;
    });
    const float inverse = reciprocal_root(squares / static_cast<float>(c) + eps);
    inverse_rms[r] = inverse;
    for_each_vector(
        c, [&](int64_t i, int64_t n) { store_any(y + i, load_any(x + i, n) * inverse * load_any(w + i, n), n); });
  }
}

// With u = dy w and s = 1 / rms: dx = s u - x s^3 mean(u x); dw = sum over rows of dy x s.
void rms_norm_grad(int64_t rows, int64_t c, const float* x, const float* w, const float* inverse_rms, const float* dy,
                   float* dx, float* dw) {
  for (int64_t r = 0; r < rows; ++r, x += c, dy += c, dx += c) {
    const float s = inverse_rms[r];
    const float ux = sum_over(
        c, [&](int64_t i, int64_t n) { return load_any(dy + i, n) * load_any(w + i, n) * load_any(x + i, n); });
    const float pull = s * s * s * ux / static_cast<float>(c);
    for_each_vector(c, [&](int64_t i, int64_t n) {
      const Vf a = load_any(x + i, n);
      const Vf d = load_any(dy + i, n);
      store_any(dw + i, load_any(dw + i, n) + d * a * s, n);
      store_any(dx + i, d * load_any(w + i, n) * s - a * pull, n);
    });
  }
}

// y = exp(x - shift) and its sum; shift is the greatest x.
inline float exp_row(int64_t c, const float* x, float shift, float* y) {
  Vf total = {};
  for_each_vector(c, [&](int64_t i, int64_t n) {
    const Vf e = bounded_exp(load_any(x + i, n) - shift);
    store_any(y + i, e, n);
    total += n == kWidth ? e : load(y + i, n);
  });
  return sum(total);
}

void softmax(int64_t rows, int64_t c, const float* x, float* y) {
  for (int64_t r = 0; r < rows; ++r, x += c, y += c) {
    const float factor = 1.0f / exp_row(c, x, row_max(c, x), y);
    for_each_vector(c, [&](int64_t i, int64_t n) { store_any(y + i, load_any(y + i, n) * factor, n); });
  }
}

// dx = y (dy - sum(dy y)).
void softmax_grad(int64_t rows, int64_t c, const float* y, const float* dy, float* dx) {
  for (int64_t r = 0; r < rows; ++r, y += c, dy += c, dx += c) {
    const float inner = sum_over(c, [&](int64_t i, int64_t n) { return load_any(y + i, n) * load_any(dy + i, n); });
    for_each_vector(
        c, [&](int64_t i, int64_t n) { store_any(dx + i, load_any(y + i, n) * (load_any(dy + i, n) - inner), n); });
  }
}

void rope(int64_t heads, int64_t d, const float* angles, bool inverse, const float* x, float* y) {
  const int64_t half = d / 2;
  const float sign = inverse ? -1.0f : 1.0f;
  for (int64_t h = 0; h < heads; ++h, x += d, y += d) {
    for_each_vector(half, [&](int64_t i, int64_t n) {
      const Vf cosine = load_any(angles + i, n);
      const Vf sine = load_any(angles + half + i, n) * sign;
      const Vf first = load_any(x + i, n);
      const Vf second = load_any(x + half + i, n);
      store_any(y + i, first * cosine - second * sine, n);
      store_any(y + half + i, second * cosine + first * sine, n);
    });
  }
}

float log_sum_exp(int64_t c, const float* x) {
  const float most = row_max(c, x);
  Vf total = {};
  float rest = 0;
  for_each_vector(c, [&](int64_t i, int64_t n) {
    const Vf e = bounded_exp(load_any(x + i, n) - most);
    if (n == kWidth) {
      total += e;
    } else {
      for (int64_t j = 0; j < n; ++j) rest += e[j];
    }
  });
  return most + __builtin_logf(sum(total) + rest);
}

void exp_scaled(int64_t c, const float* x, float shift, float factor, float* y) {
  for_each_vector(c, [&](int64_t i, int64_t n) { store_any(y + i, exp(load_any(x + i, n) - shift) * factor, n); });
}

}  // namespace

void fill_rows(Kernels& table) {
  table.rms_norm = rms_norm;
  table.rms_norm_grad = rms_norm_grad;
  table.softmax = softmax;
  table.softmax_grad = softmax_grad;
  table.rope = rope;
  table.log_sum_exp = log_sum_exp;
  table.exp_scaled = exp_scaled;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
