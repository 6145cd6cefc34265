#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

// fp32 products of one to eight rows. Reading W takes most of the time, so W is read once, in place, without packing.
// An element sums as in gemm.cc: along k, kSumDepth terms at a time.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr int64_t kCacheLine = 16;  // Floats.

inline void put(const FewRows& s, int64_t i, int64_t j, int64_t from, int64_t n, Vf sum) {
  float* to = s.y + i * s.y_stride + j;
  store_any(to, s.accumulate || from > 0 ? load_any(to, n) + sum : sum, n);
}

// W is [n, k]: up to kWidth columns are transposed in registers and then multiplied with all rows.
template <int64_t kRows>
void columns_along_k(const FewRows& s, int64_t j) {
  const int64_t n = least(kWidth, s.n - j);
  const float* w = s.w + j * s.w_stride;
  for (int64_t from = 0; from == 0 || from < s.k; from += kSumDepth) {
    const int64_t end = least(s.k, from + kSumDepth);
    Vf acc[kRows] = {};
    for (int64_t p = from; p < end; p += kWidth) {
      const int64_t depth = least(kWidth, end - p);
      Vf columns[kWidth];
#pragma GCC unroll 16
      for (int64_t i = 0; i < kWidth; ++i) columns[i] = i < n ? load_any(w + i * s.w_stride + p, depth) : Vf{};
      transpose(columns);
      const auto add = [&](int64_t q) {
#pragma GCC unroll 8
        for (int64_t i = 0; i < kRows; ++i) acc[i] = fma(splat(s.x[i * s.k + p + q]), columns[q], acc[i]);
      };
      if (depth == kWidth) {
#pragma GCC unroll 16
        for (int64_t q = 0; q < kWidth; ++q) add(q);
      } else {
        for (int64_t q = 0; q < depth; ++q) add(q);
      }
    }
#pragma GCC unroll 8
    for (int64_t i = 0; i < kRows; ++i) put(s, i, j, from, n, acc[i]);
  }
}

// W is [k, n]: kWide vectors of columns at once. More vectors mean longer contiguous reads of W.
template <int64_t kRows, int64_t kWide>
void columns_across(const FewRows& s, int64_t j) {
  constexpr int64_t kAhead = 2;  // Rows of W.
  for (int64_t from = 0; from == 0 || from < s.k; from += kSumDepth) {
    const int64_t end = least(s.k, from + kSumDepth);
    Vf acc[kRows][kWide] = {};
    for (int64_t p = from; p < end; ++p) {
      const float* w = s.w + p * s.w_stride + j;
#pragma GCC unroll 16
      for (int64_t v = 0; v < kWide * kWidth; v += kCacheLine) __builtin_prefetch(w + kAhead * s.w_stride + v);
#pragma GCC unroll 16
      for (int64_t v = 0; v < kWide; ++v) {
        const Vf row = kWide > 1 ? load(w + v * kWidth) : load_any(w, least(kWidth, s.n - j));
#pragma GCC unroll 2
        for (int64_t i = 0; i < kRows; ++i) acc[i][v] = fma(splat(s.x[i * s.k + p]), row, acc[i][v]);
      }
    }
#pragma GCC unroll 2
    for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 16
      for (int64_t v = 0; v < kWide; ++v) {
        put(s, i, j + v * kWidth, from, least(kWidth, s.n - j - v * kWidth), acc[i][v]);
      }
    }
  }
}

// Multiplies all columns from j on: kWide vectors at once, then half as many, and so on.
template <int64_t kRows, int64_t kWide>
void all_across(const FewRows& s, int64_t j) {
  constexpr int64_t kEach = kWide * kWidth;
  while (s.n - j >= (kWide > 1 ? kEach : 1)) {
    columns_across<kRows, kWide>(s, j);
    j += kEach;
  }
  if constexpr (kWide > 1) {
    if (j < s.n) all_across<kRows, kWide / 2>(s, j);
  }
}

template <int64_t kRows>
void rows_of(const FewRows& s) {
  if (s.w_along_k) {
    for (int64_t j = 0; j < s.n; j += kWidth) columns_along_k<kRows>(s, j);
  } else if constexpr (kRows <= kFewRowsAcross) {
    constexpr int64_t kRegisters = kWidth == 16 ? 32 : 16;
    all_across<kRows, kRegisters / 2 / kRows>(s, 0);
  }
}

void few_rows(const FewRows& s) {
  constexpr void (*kByRows[kFewRows])(const FewRows&) = {rows_of<1>, rows_of<2>, rows_of<3>, rows_of<4>,
                                                         rows_of<5>, rows_of<6>, rows_of<7>, rows_of<8>};
  kByRows[s.m - 1](s);
}

}  // namespace

void fill_few_rows(Kernels& table) { table.few_rows = few_rows; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
