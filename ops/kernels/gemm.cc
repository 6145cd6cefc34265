#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

#if defined(__AMX_BF16__)
#include <tinyllm/ops/kernels/tiles.h>
#endif

// Matrix products. The tile of C that stays in registers has up to kMr rows and kNr columns: as many accumulators as
// the register file holds beside two vectors of B and one broadcast of A. ops/gemm.cc explains the blocking for the
// caches.
//
// Everything is counted in units of 32 bits along k: one float, or in the file's second compilation, with AVX512-BF16,
// two numbers of 16 bits whose products are added in one instruction. In its third, with AMX-BF16, registers are
// squares of 16 rows by 16 units, and one instruction multiplies two of them: then A lies in rows, and B in panels as
// always.
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

// The blocking that ops/gemm.cc explains.
constexpr int64_t kDepth = kSumDepth;  // Units along k.
constexpr int64_t kColumns = 256;      // Of B.

constexpr int64_t kLine = 16;  // Floats of a line of a cache.
#if defined(__AMX_BF16__)
constexpr int64_t kRowOfA = kDepth + kWidth;  // Units; rows should not lie a power of two apart.
constexpr int64_t kStrip = kMr * kRowOfA;
#else
// Floats of a packed strip of A: whole vectors are stored, and strips should not lie a power of two apart.
constexpr int64_t kStrip = kMr * kDepth + kWidth;
static_assert(kMr <= kWidth, "a column of a few rows of A is copied as one vector");
#endif

#if defined(__AVX512BF16__)
constexpr int64_t kPerUnit = 2;

inline Vf rounded(Vf low, Vf high) {
  return reinterpret_cast<Vf>(_mm512_cvtne2ps_pbh(reinterpret_cast<__m512>(high), reinterpret_cast<__m512>(low)));
}
// Units of n <= 2 kWidth neighbouring numbers.
inline Vf along(const float* p, int64_t n) {
  return rounded(load(p, least(n, kWidth)), n > kWidth ? load(p + kWidth, n - kWidth) : Vf{});
}
// Units of n columns, each of two numbers below one another.
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

// ---- Packing: panels of a few lines, unit after unit ----------------------------------------------------------------

// A panel of up to kWidth lines, each of which lies along k: squares, transposed. Each unit is stored as a whole
// vector; what is too much is overwritten by the next.
template <int64_t kPanel>
void pack_along(int64_t lines, int64_t k, const float* from, int64_t stride, float* panel) {
  for (int64_t p = 0; p < k; p += kAlong) {
    const int64_t n = least(kAlong, k - p);
    Vf square[kWidth];
#pragma GCC unroll 16
    for (int64_t i = 0; i < kWidth; ++i) square[i] = i < lines ? along(from + i * stride + p, n) : Vf{};
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

// Lines that lie side by side: row after row, as far as they go, since a row is what lies together. Asks the caches for
// rows kAhead units further on: they are too far apart for the hardware to guess.
template <int64_t kPanel>
void pack_across(const Packing& s) {
  constexpr int64_t kAhead = 8;
  for (int64_t p = 0; p < s.k; p += kPerUnit) {
    float* to = s.to + p / kPerUnit * kPanel;
    for (int64_t i = 0; i < s.lines; i += s.lines_per_panel, to += s.panel) {
      const int64_t lines = least(s.lines_per_panel, s.lines - i);
#pragma GCC unroll 2
      for (int64_t j = 0; j < kPanel; j += kWidth) {
        const int64_t n = lines - j < kWidth ? (lines > j ? lines - j : 0) : kWidth;
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
  for (int64_t i = 0; i < s.lines; i += s.lines_per_panel, to += s.panel) {
    const int64_t lines = least(s.lines_per_panel, s.lines - i);
    for (int64_t j = 0; j < kPanel; j += kWidth) {
      pack_along<kPanel>(lines - j, s.k, s.from + (i + j) * s.stride, s.stride, to + j);
    }
  }
}

// ---- C --------------------------------------------------------------------------------------------------------------

// Where a tile goes. `columns` of kNr are real; with `transposed`, the place of element (i, j) is c[j * stride + i].
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

// One element after the other, where the tile is at the edge or transposed.
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

// ---- The product of tiles of AMX, each 16 rows of 16 units ----------------------------------------------------------

// Each line lies in a strip by itself: rounded, and filled up with zeros to whole tiles.
void pack_strips(const Packing& s) {
  float* to = s.to;
  for (int64_t i = 0; i < s.lines; i += s.lines_per_panel, to += s.panel) {
    const int64_t lines = least(s.lines_per_panel, s.lines - i);
    for (int64_t j = 0; j < lines; j += kTile) {
      const int64_t n = least(kTile, lines - j);
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

// Tiles 0 to 3 are of C, 4 and 5 of A, 6 and 7 of B.
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

// ---- The product of a tile of C that is in registers ----------------------------------------------------------------

void pack_strips(const Packing& s) { pack<kMr>(s); }

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

// Rows of B, `b_stride` apart, are asked for kAhead units before they are needed: where they come from the last cache,
// the hardware alone is too late.
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
    for (int64_t j = 0; j < kNr; j += kLine) __builtin_prefetch(b + kAhead * b_stride + j);
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

// `multiply` for a number of rows that is known only when running: 1 to kRows.
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
  // Rows are dealt out evenly, so that the last strip is not a sliver.
  const int64_t strips = (s.m + kMr - 1) / kMr;
  const int64_t rows = (s.m + strips - 1) / strips;
  for (int64_t p = 0; p == 0 || p < s.k; p += kDepth * kPerUnit) {  // Once even without k: then C is zeros.
    const int64_t k = least(kDepth * kPerUnit, s.k - p);
    pack_strips({s.m, rows, k, s.a + (s.a_along_k ? p : p * s.a_stride), s.a_stride, s.a_along_k, kStrip, s.strips});
    for (int64_t j0 = 0; j0 < s.n; j0 += kColumns) {
      const int64_t end = least(j0 + kColumns, s.n);
      for (int64_t i = 0; i < s.m; i += rows) {
        const float* strip = s.strips + i / rows * kStrip;
        for (int64_t j = j0; j < end; j += kNr) {
          const Target target = {s.c + (s.c_transposed ? j * s.c_stride + i : i * s.c_stride + j), s.c_stride,
                                 least(kNr, s.n - j), s.accumulate || p > 0, s.c_transposed};
          multiply_rows(least(rows, s.m - i), units(k), strip, s.b + j / kNr * s.panel + p / kPerUnit * s.b_stride,
                        s.b_stride, target);
        }
      }
    }
  }
}

}  // namespace

void fill_gemm(Kernels& table) {
  const Products products = {kMr, kNr, kPerUnit, kStrip, pack<kNr>, multiply_block};
#if defined(__AVX512BF16__)
  table.bf16 = products;
#else
  table.fp32 = products;
#endif
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
