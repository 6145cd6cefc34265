#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

// Matrix products from packed panels. The tile of C that stays in registers is kMr x kNr: as many accumulators as the
// register file holds beside two or three vectors of B and one broadcast of A. Blocking for the caches is in
// ops/gemm.cc.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kMr = 14;  // 28 accumulators of 32 registers.
#elif defined(__AVX2__)
constexpr int64_t kMr = 6;  // 12 accumulators of 16 registers.
#else
constexpr int64_t kMr = 4;  // 8 accumulators of 16 registers.
#endif
constexpr int64_t kVectors = 2;
constexpr int64_t kNr = kVectors * kWidth;

using V4 = float __attribute__((vector_size(16)));

// to[p, i] = from[i, p] for a block of 4 by 4.
inline void transpose4(const float* from, int64_t stride, float* to, int64_t to_stride) {
  V4 a, b, c, d;
  __builtin_memcpy(&a, from, sizeof a);
  __builtin_memcpy(&b, from + stride, sizeof b);
  __builtin_memcpy(&c, from + 2 * stride, sizeof c);
  __builtin_memcpy(&d, from + 3 * stride, sizeof d);
  const V4 ab_low = __builtin_shufflevector(a, b, 0, 4, 1, 5);
  const V4 ab_high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
  const V4 cd_low = __builtin_shufflevector(c, d, 0, 4, 1, 5);
  const V4 cd_high = __builtin_shufflevector(c, d, 2, 6, 3, 7);
  const V4 rows[4] = {
      __builtin_shufflevector(ab_low, cd_low, 0, 1, 4, 5), __builtin_shufflevector(ab_low, cd_low, 2, 3, 6, 7),
      __builtin_shufflevector(ab_high, cd_high, 0, 1, 4, 5), __builtin_shufflevector(ab_high, cd_high, 2, 3, 6, 7)};
  for (int64_t p = 0; p < 4; ++p) __builtin_memcpy(to + p * to_stride, &rows[p], sizeof(V4));
}

// Lines of neighbouring elements, as many as a panel has.
template <int64_t kLines>
void pack_transposed(int64_t k, const float* from, int64_t stride, float* panel) {
  constexpr int64_t kBlocked = kLines / 4 * 4;
  int64_t p = 0;
  for (; p + 4 <= k; p += 4) {
    for (int64_t i = 0; i < kBlocked; i += 4) {
      transpose4(from + i * stride + p, stride, panel + p * kLines + i, kLines);
    }
    for (int64_t i = kBlocked; i < kLines; ++i) {
      for (int64_t q = p; q < p + 4; ++q) panel[q * kLines + i] = from[i * stride + q];
    }
  }
  for (; p < k; ++p) {
    for (int64_t i = 0; i < kLines; ++i) panel[p * kLines + i] = from[i * stride + p];
  }
}

template <int64_t kLines>
void pack(int64_t lines, int64_t k, const float* from, int64_t stride, int64_t step, float* panel) {
  if (lines == kLines && stride == 1) {
    for (int64_t p = 0; p < k; ++p) __builtin_memcpy(panel + p * kLines, from + p * step, kLines * sizeof(float));
    return;
  }
  if (lines == kLines && step == 1) return pack_transposed<kLines>(k, from, stride, panel);
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t i = 0; i < kLines; ++i) panel[p * kLines + i] = i < lines ? from[i * stride + p * step] : 0.0f;
  }
}

// c[kMr, kNr] (+)= a b, over one panel of each.
inline void tile(int64_t k, const float* a, const float* b, float* c, int64_t ldc, bool accumulate) {
  Vf acc[kMr][kVectors];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kMr; ++i) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = Vf{};
  }
  for (int64_t p = 0; p < k; ++p) {
    Vf row[kVectors];
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) row[j] = load(b + p * kNr + j * kWidth);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kMr; ++i) {
      const Vf x = splat(a[p * kMr + i]);
#pragma GCC unroll 4
      for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = fma(x, row[j], acc[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int64_t i = 0; i < kMr; ++i) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) {
      float* to = c + i * ldc + j * kWidth;
      store(to, accumulate ? load(to) + acc[i][j] : acc[i][j]);
    }
  }
}

void gemm_block(int64_t m, int64_t n, int64_t k, const float* a, const float* b, float* c, int64_t ldc,
                bool accumulate) {
  for (int64_t j = 0; j < n; j += kNr) {
    for (int64_t i = 0; i < m; i += kMr) {
      const float* a_panel = a + i * k;
      const float* b_panel = b + j * k;
      float* to = c + i * ldc + j;
      if (i + kMr <= m && j + kNr <= n) {
        tile(k, a_panel, b_panel, to, ldc, accumulate);
        continue;
      }
      float edge[kMr * kNr];
      tile(k, a_panel, b_panel, edge, kNr, false);
      const int64_t columns = least(kNr, n - j);
      for (int64_t r = 0; r < least(kMr, m - i); ++r) {
        for (int64_t s = 0; s < columns; ++s) {
          to[r * ldc + s] = accumulate ? to[r * ldc + s] + edge[r * kNr + s] : edge[r * kNr + s];
        }
      }
    }
  }
}

// A block of kRows rows of x by kColumns rows of w. Every element sums in the same order whatever block it is in, so
// that a row's result does not depend on the rows beside it.
template <int64_t kRows, int64_t kColumns>
inline void dot_block(int64_t k, const float* x, const float* w, float* y, int64_t ldy, bool accumulate) {
  Vf acc[kRows][kColumns] = {};
  const auto step = [&](int64_t p, int64_t count) {
    Vf rows[kRows];
#pragma GCC unroll 4
    for (int64_t i = 0; i < kRows; ++i) rows[i] = load_any(x + i * k + p, count);
#pragma GCC unroll 4
    for (int64_t j = 0; j < kColumns; ++j) {
      const Vf column = load_any(w + j * k + p, count);
#pragma GCC unroll 4
      for (int64_t i = 0; i < kRows; ++i) acc[i][j] = fma(rows[i], column, acc[i][j]);
    }
  };
  int64_t p = 0;
  for (; p + kWidth <= k; p += kWidth) step(p, kWidth);
  if (p < k) step(p, k - p);
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t j = 0; j < kColumns; ++j) {
      const float total = sum(acc[i][j]);
      y[i * ldy + j] = accumulate ? y[i * ldy + j] + total : total;
    }
  }
}

template <int64_t kRows>
void dot_strip(int64_t n, int64_t k, const float* x, const float* w, float* y, int64_t ldy, bool accumulate) {
  int64_t j = 0;
  for (; j + 4 <= n; j += 4) dot_block<kRows, 4>(k, x, w + j * k, y + j, ldy, accumulate);
  for (; j < n; ++j) dot_block<kRows, 1>(k, x, w + j * k, y + j, ldy, accumulate);
}

void dot_rows(int64_t m, int64_t n, int64_t k, const float* x, const float* w, float* y, int64_t ldy, bool accumulate) {
  int64_t i = 0;
  for (; i + 2 <= m; i += 2) dot_strip<2>(n, k, x + i * k, w, y + i * ldy, ldy, accumulate);
  for (; i < m; ++i) dot_strip<1>(n, k, x + i * k, w, y + i * ldy, ldy, accumulate);
}

}  // namespace

void fill_gemm(Kernels& table) {
  table.mr = kMr;
  table.nr = kNr;
  table.pack_a = pack<kMr>;
  table.pack_b = pack<kNr>;
  table.gemm_block = gemm_block;
  table.dot_rows = dot_rows;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
