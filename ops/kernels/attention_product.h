#pragma once

#include <tinyllm/ops/kernels/half.h>
#include <tinyllm/ops/kernels/kernels.h>

// The small matrix products of attention: out[i, j] = sum_p a[i, p] b[p, j]. Elements of a are scalars; elements of b
// and out are vectors of neighbouring j. The sums of a tile of out, kTileRows rows by kTileVectors vectors, stay in
// registers.
namespace tinyllm::kernels::TINYLLM_ISA {

inline constexpr int64_t kTileRows = 4;
#if defined(__AVX512F__)
inline constexpr int64_t kTileVectors = 4;  // 16 accumulators of 32 registers.
#else
inline constexpr int64_t kTileVectors = 2;  // 8 accumulators of 16 registers.
#endif

inline int64_t whole_vectors(int64_t n) { return (n + kWidth - 1) / kWidth * kWidth; }

/// The factor a of a product: element (i, p) is at[i * row + p * step].
struct LeftFactor {
  const float* at;
  int64_t row, step;
};

/// Which terms of a product are summed. A weight of 0 must hide a NaN or an infinity in b, but 0 * NaN is NaN. So
/// `nonzero` leaves out terms with a = 0. It is slower; for finite numbers the result is the same.
enum class Terms : uint8_t { all, nonzero };

inline Terms terms_of(bool all_finite) { return all_finite ? Terms::all : Terms::nonzero; }

/// Whether all numbers of `count` vectors, `stride` floats apart, are finite.
inline bool all_finite(const float* x, int64_t count, int64_t stride) {
  Vi found = {};
  for (int64_t i = 0; i < count; ++i) {
    const Vf a = load(x + i * stride);
    found |= reinterpret_cast<Vi>(a - a);  // 0, or NaN.
  }
  return sum(reinterpret_cast<Vf>(found)) == 0;
}

/// Computes one tile. Calls put(i, j, sums, n) for each vector of it: `sums` belongs to row i and columns j to j + n.
template <int64_t kRows, int64_t kVectors, Terms kTerms, class T, class Put>
inline void multiply_tile(int64_t columns, int64_t k, LeftFactor a, const T* b, int64_t ldb, Put put) {
  Vf acc[kRows][kVectors] = {};
  for (int64_t p = 0; p < k; ++p) {
    if constexpr (kTerms == Terms::nonzero) {
      static_assert(kRows == 1);
      if (a.at[p * a.step] == 0) continue;
    }
    Vf row[kVectors];
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) row[j] = widen(b + p * ldb + j * kWidth);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kRows; ++i) {
      const Vf x = splat(a.at[i * a.row + p * a.step]);
#pragma GCC unroll 4
      for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = fma(x, row[j], acc[i][j]);
    }
  }
#pragma GCC unroll 4
  for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) {
      put(i, j * kWidth, acc[i][j], j + 1 == kVectors ? columns - j * kWidth : kWidth);
    }
  }
}

/// Computes a tile with as many vectors as `columns` needs.
template <int64_t kRows, Terms kTerms, int64_t kVectors = kTileVectors, class T, class Put>
inline void multiply_columns(int64_t columns, int64_t k, LeftFactor a, const T* b, int64_t ldb, Put put) {
  if constexpr (kVectors > 1) {
    if (columns <= (kVectors - 1) * kWidth) {
      return multiply_columns<kRows, kTerms, kVectors - 1>(columns, k, a, b, ldb, put);
    }
  }
  multiply_tile<kRows, kVectors, kTerms>(columns, k, a, b, ldb, put);
}

/// Computes up to kTileRows rows of the product, all columns. Every row of b must have whole vectors. Calls `put` as
/// `multiply_tile` does.
template <Terms kTerms = Terms::all, class T, class Put>
inline void multiply_rows(int64_t rows, int64_t columns, int64_t k, LeftFactor a, const T* b, int64_t ldb, Put put) {
  for (int64_t first = 0; first < columns; first += kTileVectors * kWidth) {
    const int64_t some = least(kTileVectors * kWidth, columns - first);
    if constexpr (kTerms == Terms::all) {
      if (rows == kTileRows) {
        multiply_columns<kTileRows, kTerms>(
            some, k, a, b + first, ldb, [&](int64_t i, int64_t j, Vf sums, int64_t n) { put(i, first + j, sums, n); });
        continue;
      }
    }
    for (int64_t i = 0; i < rows; ++i) {
      multiply_columns<1, kTerms>(some, k, {a.at + i * a.row, a.row, a.step}, b + first, ldb,
                                  [&](int64_t, int64_t j, Vf sums, int64_t n) { put(i, first + j, sums, n); });
    }
  }
}

/// The same, with `terms` known only at run time.
template <class Put>
inline void multiply_rows(Terms terms, int64_t rows, int64_t columns, int64_t k, LeftFactor a, const float* b,
                          int64_t ldb, Put put) {
  if (terms == Terms::all) return multiply_rows<Terms::all>(rows, columns, k, a, b, ldb, put);
  multiply_rows<Terms::nonzero>(rows, columns, k, a, b, ldb, put);
}

/// Rows that the next step reads. The current product prefetches a few of them before each of its tiles, because they
/// are too far apart for the hardware prefetcher.
template <class T>
struct NextRows {
  static constexpr int64_t kLine = 64 / sizeof(T);  // Numbers in a cache line.
  const T* rows;
  int64_t count, size, stride;

  /// Prefetches kTileRows rows from `first` on.
  void prefetch(int64_t first) const {
    for (int64_t i = first; i < least(first + kTileRows, count); ++i) {
      for (int64_t d = 0; d < size; d += kLine) __builtin_prefetch(rows + i * stride + d);
    }
  }
};
// Clang 14 does not deduce T from the members.
template <class T>
NextRows(const T*, int64_t, int64_t, int64_t) -> NextRows<T>;

inline float score_scale(int64_t head_size) { return 1.0f / __builtin_sqrtf(static_cast<float>(head_size)); }

/// Copies rows: to[i, d] = rows[i, d] * factor. Rows of `to` have whole vectors. Rows of zeros follow up to a whole
/// vector of rows.
template <class T>
inline void pack_rows(int64_t count, int64_t size, const T* rows, int64_t stride, float factor, float* to) {
  for (int64_t i = 0; i < count; ++i, rows += stride, to += whole_vectors(size)) {
    for_each_vector(size, [&](int64_t d, int64_t n) { store(to + d, widen(rows + d, n) * factor); });
  }
  for (int64_t i = 0; i < (whole_vectors(count) - count) * whole_vectors(size); ++i) to[i] = 0;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
