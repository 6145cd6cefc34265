#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

// Calls `f(offset, before, inside, after, pixel)` for the columns of each row of the output: `offset` counts from
// `first`; `before` columns see padding, the next `inside` see the image from `pixel` on, and `after` see padding.
template <class F>
inline void for_each_line(const PatchRow& p, F f) {
  int64_t y = p.first / p.width;
  int64_t x = p.first - y * p.width;
  for (int64_t offset = 0; offset < p.count; ++y, x = 0) {
    const int64_t count = least(p.width - x, p.count - offset);
    const int64_t end = x + count;
    const int64_t row = y * p.row_stride + p.top;
    const int64_t from = p.low > x ? least(p.low, end) : x;
    const int64_t to = p.high > from ? least(p.high, end) : from;
    if (row >= 0 && row < p.rows) {
      f(offset, from - x, to - from, end - to, row * p.row_size + from * p.stride + p.left);
    } else {
      f(offset, count, int64_t{0}, int64_t{0}, int64_t{0});
    }
    offset += count;
  }
}

inline void zero(int64_t n, float* to) {
  for_each_vector(n, [&](int64_t i, int64_t count) { store_any(to + i, Vf{}, count); });
}

// Elements 0, 2, 4 ... of the 2 kWidth - 1 from p on.
inline Vf load_every_second(const float* p) {
  const Vf a = load(p), b = load(p + kWidth - 1);
#if defined(__AVX512F__)
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 8, 10, 12, 14, 17, 19, 21, 23, 25, 27, 29, 31);
#elif defined(__AVX2__)
  return __builtin_shufflevector(a, b, 0, 2, 4, 6, 9, 11, 13, 15);
#else
  return __builtin_shufflevector(a, b, 0, 2, 5, 7);
#endif
}

inline void copy_line(int64_t n, int64_t stride, const float* from, float* to) {
  if (stride == 1) {
    for_each_vector(n, [&](int64_t i, int64_t count) { store_any(to + i, load_any(from + i, count), count); });
    return;
  }
  int64_t i = 0;
  for (; stride == 2 && i + kWidth <= n; i += kWidth) store(to + i, load_every_second(from + 2 * i));
  for (; i < n; ++i) to[i] = from[i * stride];
}

void copy_patches(const PatchRow& p, const float* channel, float* to) {
  for_each_line(p, [&](int64_t offset, int64_t before, int64_t inside, int64_t after, int64_t pixel) {
    float* at = to + offset;
    zero(before, at);
    copy_line(inside, p.stride, channel + pixel, at + before);
    zero(after, at + before + inside);
  });
}

void add_patches(const PatchRow& p, const float* from, float* channel) {
  for_each_line(p, [&](int64_t offset, int64_t before, int64_t inside, int64_t, int64_t pixel) {
    const float* at = from + offset + before;
    float* to = channel + pixel;
    if (p.stride == 1) {
      for_each_vector(inside,
                      [&](int64_t i, int64_t n) { store_any(to + i, load_any(to + i, n) + load_any(at + i, n), n); });
    } else {
      for (int64_t i = 0; i < inside; ++i) to[i * p.stride] += at[i];
    }
  });
}

}  // namespace

void fill_patches(Kernels& table) {
  table.copy_patches = copy_patches;
  table.add_patches = add_patches;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
