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

template <int64_t kLines>
void pack(int64_t lines, int64_t k, const float* from, int64_t stride, int64_t step, float* panel) {
  if (lines == kLines && stride == 1) {
    for (int64_t p = 0; p < k; ++p) __builtin_memcpy(panel + p * kLines, from + p * step, kLines * sizeof(float));
    return;
  }
  if (lines == kLines) {
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t i = 0; i < kLines; ++i) panel[p * kLines + i] = from[i * stride + p * step];
    }
    return;
  }
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
