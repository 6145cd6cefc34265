#include <tinyllm/ops/kernels/half.h>
#include <tinyllm/ops/kernels/kernels.h>

// Products with bfloat16 weights. They are widened to float when they are read, once for several rows of x. All sums
// are in float. A panel has 32 weights for each k, and is read in groups of two vectors. With one row, reading the
// panel takes most of the time; with many rows, the multiply-adds do.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int64_t kRows = 12;  // 24 accumulators of 32 registers, beside two vectors of weights and one of x.
#elif defined(__AVX2__)
constexpr int64_t kRows = 6;  // 12 of 16.
#else
constexpr int64_t kRows = 4;  // 8 of 16.
#endif
constexpr int64_t kVectors = 2;
constexpr int64_t kGroup = kVectors * kWidth;
constexpr int64_t kAhead = 32;  // Numbers along k: 2 KB.
static_assert(kQuantPanel % kGroup == 0);

// Multiplies kCount rows by one group of columns.
template <int64_t kCount>
void multiply(const Bf16Block& s, int64_t row, int64_t column) {
  const auto* w = reinterpret_cast<const BFloat16*>(s.panel) + column;
  const float* x = s.x + row * s.x_stride;
  Vf acc[kCount][kVectors] = {};
  for (int64_t p = 0; p < s.k; ++p, w += kQuantPanel) {
    __builtin_prefetch(w + kAhead * kQuantPanel);
    Vf weights[kVectors];
#pragma GCC unroll 2
    for (int64_t j = 0; j < kVectors; ++j) weights[j] = widen(w + j * kWidth);
#pragma GCC unroll 12
    for (int64_t i = 0; i < kCount; ++i) {
      const Vf number = splat(x[i * s.x_stride + p]);
#pragma GCC unroll 2
      for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = fma(number, weights[j], acc[i][j]);
    }
  }
#pragma GCC unroll 12
  for (int64_t i = 0; i < kCount; ++i) {
#pragma GCC unroll 2
    for (int64_t j = 0; j < kVectors; ++j) {
      const int64_t at = column + j * kWidth;
      if (at >= s.columns) break;
      const int64_t n = least(kWidth, s.columns - at);
      const Vf bias = s.bias != nullptr ? load_any(s.bias + at, n) : Vf{};
      store_any(s.y + (row + i) * s.y_stride + at, acc[i][j] + bias, n);
    }
  }
}

// Calls `multiply` for a number of rows, from 1 to kCount, that is known only at run time.
template <int64_t kCount = kRows>
void multiply_rows(int64_t rows, const Bf16Block& s, int64_t row, int64_t column) {
  if constexpr (kCount > 1) {
    if (rows != kCount) return multiply_rows<kCount - 1>(rows, s, row, column);
  }
  multiply<kCount>(s, row, column);
}

void bf16_weights(const Bf16Block& s) {
  // All tiles get about the same number of rows, so that the last one is not a sliver.
  const int64_t parts = (s.rows + kRows - 1) / kRows;
  for (int64_t part = 0, row = 0; part < parts; ++part) {
    const int64_t end = s.rows * (part + 1) / parts;
    for (int64_t column = 0; column < s.columns; column += kGroup) multiply_rows(end - row, s, row, column);
    row = end;
  }
}

}  // namespace

void fill_bf16_weights(Kernels& table) { table.bf16_weights = bf16_weights; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
