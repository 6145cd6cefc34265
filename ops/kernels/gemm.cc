#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

#if defined(__AMX_BF16__)
#include <tinyllm/ops/kernels/tiles.h>
#endif

// Matrix products. Three terms:
//   tile     kMr rows by kNr columns of C, whose sums stay in registers: as many accumulators as there are registers
//            besides those for two vectors of B and one broadcast value of A.
//   panel    what a tile reads: kMr rows of A, or kNr columns of B, packed so that it is read from front to back.
//   unit     4 bytes of a panel: the values of one lane (a row of A, a column of B) at one step along k.
// ops/detail/gemm.cc explains how panels are blocked for the caches.
//
// This file is compiled three times:
//   fp32           a unit is one float.
//   AVX512-BF16    a unit is two bfloat16 numbers. One instruction multiplies both and adds the products.
//   AMX-BF16       the same units, but a register is a square of 16 lanes by 16 units, and one instruction multiplies
//                  two squares. A panel of A then holds one row of A after another.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

#if defined(__AMX_BF16__)
constexpr int64_t kMr = 32;  // 2 x 2 accumulators of 8 tiles, beside two of A and two of B.
#elif defined(__AVX512F__)
constexpr int64_t kMr = 14;  // 28 accumulators of 32 registers.
#elif defined(__AVX2__)
constexpr int64_t kMr = 6;  // 12 accumulators of 16 registers.
#else
constexpr int64_t kMr = 4;  // 8 accumulators of 16 registers.
#endif
constexpr int64_t kVectors = 2;
constexpr int64_t kNr = kVectors * kWidth;

// The blocking that ops/detail/gemm.cc explains.
constexpr int64_t kDepth = kSumDepth;  // Units along k.
constexpr int64_t kColumns = 256;      // Of B.

constexpr int64_t kCacheLine = 16;  // Floats.
// Units of a panel of A. The extra vector has two reasons: whole vectors are stored, and a distance that is a power of
// two would put all rows (AMX) or panels into the same few cache sets.
#if defined(__AMX_BF16__)
constexpr int64_t kRowOfA = kDepth + kWidth;
constexpr int64_t kPanelOfA = kMr * kRowOfA;
#else
constexpr int64_t kPanelOfA = kMr * kDepth + kWidth;
static_assert(kMr <= kWidth, "a column of a panel of A is copied as one vector");
#endif

#if defined(__AVX512BF16__)
constexpr int64_t kPerUnit = 2;

inline Vf rounded(Vf low, Vf high) {
  return reinterpret_cast<Vf>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(high), reinterpret_cast<__m512>(low)));
}
// The units of n <= 2 kWidth numbers that are next to each other along k.
inline Vf along(const float* p, int64_t n) {
  return rounded(load(p, least(n, kWidth)), n > kWidth ? load(p + kWidth, n - kWidth) : Vf{});
}
// The units of n lanes that are next to each other: two rows of `p`, or one and zeros.
inline Vf across(const float* p, int64_t stride, int64_t rows, int64_t n) {
  const auto both = reinterpret_cast<__m512i>(rounded(load(p, n), rows > 1 ? load(p + stride, n) : Vf{}));
  const __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(both));
  const __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(both, 1));
  return reinterpret_cast<Vf>(_mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
}
inline Vf multiply_add(Vf a, Vf b, Vf sum) {
  return reinterpret_cast<Vf>(
      _mm512_dpbf16_ps(reinterpret_cast<__m512>(sum), reinterpret_cast<__m512bh>(a), reinterpret_cast<__m512bh>(b)));
}
#else
constexpr int64_t kPerUnit = 1;

inline Vf along(const float* p, int64_t n) { return load_any(p, n); }
inline Vf across(const float* p, int64_t, int64_t, int64_t n) { return load_any(p, n); }
inline Vf multiply_add(Vf a, Vf b, Vf sum) { return fma(a, b, sum); }
#endif

constexpr int64_t kAlong = kWidth * kPerUnit;  // Numbers in one vector of units along k.

inline int64_t units(int64_t k) { return (k + kPerUnit - 1) / kPerUnit; }

// ---- Packing --------------------------------------------------------------------------------------------------------

// Packs up to kWidth lanes [lanes, k] by transposing squares in registers. Every step is stored as a whole vector; the
// next step overwrites what does not belong to it.
template <int64_t kPanel>
void pack_along(int64_t lanes, int64_t k, const float* from, int64_t stride, float* panel) {
  for (int64_t p = 0; p < k; p += kAlong) {
    const int64_t n = least(kAlong, k - p);
    Vf square[kWidth];
#pragma GCC unroll 16
    for (int64_t i = 0; i < kWidth; ++i) square[i] = i < lanes ? along(from + i * stride + p, n) : Vf{};
    transpose(square);
    float* to = panel + p / kPerUnit * kPanel;
    if (n == kAlong) {
#pragma GCC unroll 16
      for (int64_t i = 0; i < kWidth; ++i) store(to + i * kPanel, square[i]);
    } else {
      for (int64_t i = 0; i < units(n); ++i) store(to + i * kPanel, square[i]);
    }
  }
}

// Packs lanes of [k, lanes], row by row, because a row is contiguous. Prefetches the rows kAhead units ahead: they are
// too far apart for the hardware prefetcher.
template <int64_t kPanel>
void pack_across(const Packing& s) {
  constexpr int64_t kAhead = 8;
  for (int64_t p = 0; p < s.k; p += kPerUnit) {
    float* to = s.to + p / kPerUnit * kPanel;
    for (int64_t i = 0; i < s.lanes; i += s.lanes_per_panel, to += s.panel) {
      const int64_t lanes = least(s.lanes_per_panel, s.lanes - i);
#pragma GCC unroll 2
      for (int64_t j = 0; j < kPanel; j += kWidth) {
        const int64_t n = lanes - j < kWidth ? (lanes > j ? lanes - j : 0) : kWidth;
        for (int64_t q = p; q < p + kPerUnit; ++q) {
          __builtin_prefetch(s.from + (q + kAhead * kPerUnit) * s.stride + i + j + kWidth - 1);
        }
        store(to + j, across(s.from + p * s.stride + i + j, s.stride, s.k - p, n));
      }
    }
  }
}

template <int64_t kPanel>
void pack(const Packing& s) {
  if (!s.along_k) return pack_across<kPanel>(s);
  float* to = s.to;
  for (int64_t i = 0; i < s.lanes; i += s.lanes_per_panel, to += s.panel) {
    const int64_t lanes = least(s.lanes_per_panel, s.lanes - i);
    for (int64_t j = 0; j < kPanel; j += kWidth) {
      pack_along<kPanel>(lanes - j, s.k, s.from + (i + j) * s.stride, s.stride, to + j);
    }
  }
}

// ---- C --------------------------------------------------------------------------------------------------------------

// Where a tile is written. Only `columns` of its kNr columns exist. Element (i, j) is c[i * stride + j], or
// c[j * stride + i] if `transposed`.
struct Target {
  float* c;
  int64_t stride;
  int64_t columns;
  bool accumulate;
  bool transposed;
};

inline void put_row(const Target& t, int64_t i, const Vf (&row)[kVectors]) {
#pragma GCC unroll 4
  for (int64_t j = 0; j < kVectors; ++j) {
    float* to = t.c + i * t.stride + j * kWidth;
    store(to, t.accumulate ? load(to) + row[j] : row[j]);
  }
}

// For a tile at the right edge or a transposed one: writes element by element.
inline void put_elements(const Target& t, int64_t rows, const float (*tile)[kNr]) {
  const int64_t row = t.transposed ? 1 : t.stride;
  const int64_t column = t.transposed ? t.stride : 1;
  for (int64_t j = 0; j < t.columns; ++j) {
    for (int64_t i = 0; i < rows; ++i) {
      float& to = t.c[i * row + j * column];
      to = t.accumulate ? to + tile[i][j] : tile[i][j];
    }
  }
}

#if defined(__AMX_BF16__)

// ---- The product of a tile with AMX: squares of 16 rows by 16 units -------------------------------------------------

// Packs rows of A: one after another, rounded, and padded with zeros to whole squares.
void pack_rows_of_a(const Packing& s) {
  float* to = s.to;
  for (int64_t i = 0; i < s.lanes; i += s.lanes_per_panel, to += s.panel) {
    const int64_t lanes = least(s.lanes_per_panel, s.lanes - i);
    for (int64_t j = 0; j < lanes; j += kTile) {
      const int64_t n = least(kTile, lanes - j);
      for (int64_t p = 0; p < s.k; p += kAlong) {
        Vf square[kWidth];
        if (s.along_k) {
          const float* from = s.from + (i + j) * s.stride + p;
          const int64_t depth = least(kAlong, s.k - p);
#pragma GCC unroll 16
          for (int64_t q = 0; q < kWidth; ++q) square[q] = q < n ? along(from + q * s.stride, depth) : Vf{};
        } else {
          const float* from = s.from + p * s.stride + i + j;
#pragma GCC unroll 16
          for (int64_t q = 0; q < kWidth; ++q) {
            const int64_t left = s.k - p - q * kPerUnit;
            square[q] = left > 0 ? across(from + q * kPerUnit * s.stride, s.stride, left, n) : Vf{};
          }
          transpose(square);
        }
#pragma GCC unroll 16
        for (int64_t q = 0; q < kWidth; ++q) store(to + (j + q) * kRowOfA + p / kPerUnit, square[q]);
      }
    }
  }
}

// AMX registers 0 to 3 hold C, 4 and 5 hold A, 6 and 7 hold B.
__attribute__((noinline)) void multiply_rows(int64_t rows, int64_t k, const float* a, const float* b, int64_t,
                                             const Target& target) {
  constexpr int64_t kBytes = kNr * sizeof(float);
  const auto add = [&](const float* rows_of_a, const float* rows_of_b) {
    _tile_loadd(4, rows_of_a, kRowOfA * sizeof(float));
    _tile_loadd(6, rows_of_b, kBytes);
    _tile_dpbf16ps(0, 4, 6);
    _tile_loadd(7, rows_of_b + kTile, kBytes);
    _tile_dpbf16ps(1, 4, 7);
    _tile_loadd(5, rows_of_a + kTile * kRowOfA, kRowOfA * sizeof(float));
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  };
  TilesInUse::written();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  int64_t p = 0;
  for (; p + kTile <= k; p += kTile) add(a + p, b + p * kNr);
  if (p < k) {
    float rest[kTile][kNr] = {};
    __builtin_memcpy(rest, b + p * kNr, static_cast<size_t>((k - p) * kNr) * sizeof(float));
    TilesInUse::written();
    add(a + p, rest[0]);
  }
  float tile[kMr][kNr];
  _tile_stored(0, tile[0], kBytes);
  _tile_stored(1, tile[0] + kTile, kBytes);
  _tile_stored(2, tile[kTile], kBytes);
  _tile_stored(3, tile[kTile] + kTile, kBytes);
  if (target.columns < kNr || target.transposed) return put_elements(target, rows, tile);
  for (int64_t i = 0; i < rows; ++i) put_row(target, i, {load(tile[i]), load(tile[i] + kWidth)});
}

#else

// ---- The product of a tile with vectors -----------------------------------------------------------------------------

void pack_rows_of_a(const Packing& s) { pack<kMr>(s); }

template <int64_t kRows>
inline void put(const Target& t, const Vf (&acc)[kRows][kVectors]) {
  if (t.columns == kNr && !t.transposed) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < kRows; ++i) put_row(t, i, acc[i]);
    return;
  }
  float tile[kRows][kNr];
  __builtin_memcpy(tile, acc, sizeof tile);
  put_elements(t, kRows, tile);
}

// Rows of B are `b_stride` apart. They are prefetched kAhead units early: when they come from the last-level cache, the
// hardware prefetcher alone is too late.
template <int64_t kRows>
__attribute__((noinline)) void multiply(int64_t k, const float* a, const float* b, int64_t b_stride,
                                        const Target& target) {
  constexpr int64_t kAhead = 16;
  if (!target.transposed) {
#pragma GCC unroll 16
    for (int64_t i = 0; i < kRows; ++i) {
      __builtin_prefetch(target.c + i * target.stride, 1);
      __builtin_prefetch(target.c + i * target.stride + kWidth, 1);
    }
  }
  Vf acc[kRows][kVectors];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = Vf{};
  }
  for (int64_t p = 0; p < k; ++p, b += b_stride) {
#pragma GCC unroll 2
    for (int64_t j = 0; j < kNr; j += kCacheLine) __builtin_prefetch(b + kAhead * b_stride + j);
    Vf row[kVectors];
#pragma GCC unroll 4
    for (int64_t j = 0; j < kVectors; ++j) row[j] = load(b + j * kWidth);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kRows; ++i) {
      const Vf x = splat(a[p * kMr + i]);
#pragma GCC unroll 4
      for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = multiply_add(x, row[j], acc[i][j]);
    }
  }
  put(target, acc);
}

// Calls `multiply` for a number of rows, from 1 to kRows, that is known only at run time.
template <int64_t kRows = kMr>
inline void multiply_rows(int64_t rows, int64_t k, const float* a, const float* b, int64_t b_stride,
                          const Target& target) {
  if constexpr (kRows > 1) {
    if (rows != kRows) return multiply_rows<kRows - 1>(rows, k, a, b, b_stride, target);
  }
  multiply<kRows>(k, a, b, b_stride, target);
}

#endif

void multiply_block(const GemmBlock& s) {
#if defined(__AMX_BF16__)
  const TilesInUse tiles;
#endif
  // All panels of A get about the same number of rows, so that the last one is not a sliver.
  const int64_t panels = (s.m + kMr - 1) / kMr;
  const int64_t rows = (s.m + panels - 1) / panels;
  for (int64_t p = 0; p == 0 || p < s.k; p += kDepth * kPerUnit) {  // Once even if k is 0: C is then zeros.
    const int64_t k = least(kDepth * kPerUnit, s.k - p);
    pack_rows_of_a(
        {s.m, rows, k, s.a + (s.a_along_k ? p : p * s.a_stride), s.a_stride, s.a_along_k, kPanelOfA, s.a_panels});
    for (int64_t j0 = 0; j0 < s.n; j0 += kColumns) {
      const int64_t end = least(j0 + kColumns, s.n);
      for (int64_t i = 0; i < s.m; i += rows) {
        const float* panel_of_a = s.a_panels + i / rows * kPanelOfA;
        for (int64_t j = j0; j < end; j += kNr) {
          const Target target = {s.c + (s.c_transposed ? j * s.c_stride + i : i * s.c_stride + j), s.c_stride,
                                 least(kNr, s.n - j), s.accumulate || p > 0, s.c_transposed};
          multiply_rows(least(rows, s.m - i), units(k), panel_of_a, s.b + j / kNr * s.panel + p / kPerUnit * s.b_stride,
                        s.b_stride, target);
        }
      }
    }
  }
}

}  // namespace

void fill_gemm(Kernels& table) {
  const Products products = {kMr, kNr, kPerUnit, kPanelOfA, pack<kNr>, multiply_block};
#if defined(__AVX512BF16__)
  table.bf16 = products;
#else
  table.fp32 = products;
#endif
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
