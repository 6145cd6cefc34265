#pragma once

#include <tinyllm/ops/kernels/half.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/random.h>

// What attention forward and backward share. Scores of a block of queries against a block of keys are kept transposed,
// [keys, queries]: a vector holds neighbouring queries, so that maxima, sums and masks are vertical, and every product
// multiplies a scalar of its left factor with vectors of its right one. Blocks are 64 x 64: four arrays of 16 KB at
// head size 64, of which a product uses two or three at a time, in an L1 of 32 to 48 KB.
namespace tinyllm::kernels::TINYLLM_ISA {

/// Rows of a result that are in registers at once. Divides kWidth: what one vector of queries sees and the next does
/// not falls between strips.
inline constexpr int64_t kStrip = 4;
#if defined(__AVX512F__)
inline constexpr int64_t kTileVectors = 4;  // 16 accumulators of 32 registers.
#else
inline constexpr int64_t kTileVectors = 2;  // 8 accumulators of 16 registers.
#endif
static_assert(kWidth % kStrip == 0 && kQueryBlock % kWidth == 0 && kQueryBlock == kMaskGroup);

inline int64_t most_of(int64_t a, int64_t b) { return a > b ? a : b; }
inline int64_t whole_vectors(int64_t n) { return (n + kWidth - 1) / kWidth * kWidth; }

inline float score_scale(const AttentionHead& h) { return 1.0f / __builtin_sqrtf(static_cast<float>(h.head_size)); }

/// A block of queries against a block of keys.
struct Tile {
  int64_t query, queries, key, keys;

  /// The first query that sees key j, and the end of the keys that query i sees (relative to the tile).
  int64_t first_query(int64_t j) const { return most_of(0, key + j - query); }
  int64_t end_key(int64_t i) const { return least(keys, query + i + 1 - key); }
};

/// Keys and values as they are stored, floats or halves.
template <class T>
inline const T* keys_of(const AttentionHead& h) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return h.k;
  } else {
    return h.k16;
  }
}
template <class T>
inline const T* values_of(const AttentionHead& h) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return h.v;
  } else {
    return h.v16;
  }
}

/// Where the keys and values of the block that begins with this key lie behind k and v.
inline int64_t block_offset(const AttentionHead& h, int64_t key) {
  return h.pages == nullptr ? key * h.kv_stride : h.pages[key / kKeyBlock] * h.page_stride;
}

/// A left factor: element (i, p) is at[i * row + p * step].
struct Left {
  const float* at;
  int64_t row, step;
};

/// The terms of a product that are added up. Leaving out those with a left factor of 0 keeps NaN and infinity from the
/// rows that give them no weight. For finite numbers the results are the same, but it is slower.
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

/// Calls put(i, column, sums, n) with sums = sum_p a[i, p] b[p, column...] for rows i < kRows and `n` of the columns.
template <int64_t kRows, int64_t kVectors, Terms kTerms, class T, class Put>
inline void multiply_tile(int64_t columns, int64_t k, Left a, const T* b, int64_t ldb, Put put) {
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

template <int64_t kRows, Terms kTerms, int64_t kVectors = kTileVectors, class T, class Put>
inline void multiply_columns(int64_t columns, int64_t k, Left a, const T* b, int64_t ldb, Put put) {
  if constexpr (kVectors > 1) {
    if (columns <= (kVectors - 1) * kWidth) {
      return multiply_columns<kRows, kTerms, kVectors - 1>(columns, k, a, b, ldb, put);
    }
  }
  multiply_tile<kRows, kVectors, kTerms>(columns, k, a, b, ldb, put);
}

/// Calls put(i, column, sums, n) over all of a b: `rows` at most kStrip, b with whole vectors in every row.
template <Terms kTerms = Terms::all, class T, class Put>
inline void multiply_strip(int64_t rows, int64_t columns, int64_t k, Left a, const T* b, int64_t ldb, Put put) {
  for (int64_t first = 0; first < columns; first += kTileVectors * kWidth) {
    const int64_t some = least(kTileVectors * kWidth, columns - first);
    if constexpr (kTerms == Terms::all) {
      if (rows == kStrip) {
        multiply_columns<kStrip, kTerms>(some, k, a, b + first, ldb,
                                         [&](int64_t i, int64_t j, Vf sums, int64_t n) { put(i, first + j, sums, n); });
        continue;
      }
    }
    for (int64_t i = 0; i < rows; ++i) {
      multiply_columns<1, kTerms>(some, k, {a.at + i * a.row, a.row, a.step}, b + first, ldb,
                                  [&](int64_t, int64_t j, Vf sums, int64_t n) { put(i, first + j, sums, n); });
    }
  }
}

/// The same, with terms that are chosen when it runs.
template <class Put>
inline void multiply_strip(Terms terms, int64_t rows, int64_t columns, int64_t k, Left a, const float* b, int64_t ldb,
                           Put put) {
  if (terms == Terms::all) return multiply_strip<Terms::all>(rows, columns, k, a, b, ldb, put);
  multiply_strip<Terms::nonzero>(rows, columns, k, a, b, ldb, put);
}

/// Rows that a product asks the caches for, strip by strip: the next step wants them, and they lie too far apart for
/// the hardware to see them coming.
template <class T>
struct Ahead {
  static constexpr int64_t kLine = 64 / sizeof(T);  // Numbers of a line of a cache.
  const T* rows;
  int64_t count, size, stride;

  void strip(int64_t first) const {
    for (int64_t i = first; i < least(first + kStrip, count); ++i) {
      for (int64_t d = 0; d < size; d += kLine) __builtin_prefetch(rows + i * stride + d);
    }
  }
};

/// s[j, i] = sum_d keys[j, d] queries[d, i], of the vectors of queries that see key j; rows of s and of `queries` are
/// kQueryBlock apart.
template <class T>
inline void transposed_scores(const Tile& tile, int64_t head_size, Left keys, const float* queries, float* s,
                              const Ahead<T>& ahead) {
  for (int64_t j = 0; j < tile.keys; j += kStrip) {
    ahead.strip(j);
    const int64_t first = tile.first_query(j) / kWidth * kWidth;
    float* to = s + j * kQueryBlock + first;
    multiply_strip(least(kStrip, tile.keys - j), whole_vectors(tile.queries) - first, head_size,
                   {keys.at + j * keys.row, keys.row, keys.step}, queries + first, kQueryBlock,
                   [&](int64_t i, int64_t c, Vf sums, int64_t) { store(to + i * kQueryBlock + c, sums); });
  }
}

/// to[i, d] = rows[i, d] * factor, rows of `to` whole vectors; up to a whole vector of rows zeros behind the last.
template <class T>
inline void pack_rows(int64_t count, int64_t size, const T* rows, int64_t stride, float factor, float* to) {
  for (int64_t i = 0; i < count; ++i, rows += stride, to += whole_vectors(size)) {
    for_each_vector(size, [&](int64_t d, int64_t n) { store(to + d, widen(rows + d, n) * factor); });
  }
  for (int64_t i = 0; i < (whole_vectors(count) - count) * whole_vectors(size); ++i) to[i] = 0;
}

/// to[d, i] = rows[i, d], for packed rows of a block of queries.
inline void transpose_rows(int64_t count, int64_t size, const float* rows, float* to) {
  using V4 = float __attribute__((vector_size(16)));
  const int64_t stride = whole_vectors(size);
  for (int64_t i = 0; i < whole_vectors(count); i += 4) {
    for (int64_t d = 0; d < size; d += 4) {
      V4 a[4];
      for (int64_t r = 0; r < 4; ++r) __builtin_memcpy(&a[r], rows + (i + r) * stride + d, sizeof(V4));
      const V4 low01 = __builtin_shufflevector(a[0], a[1], 0, 4, 1, 5);
      const V4 high01 = __builtin_shufflevector(a[0], a[1], 2, 6, 3, 7);
      const V4 low23 = __builtin_shufflevector(a[2], a[3], 0, 4, 1, 5);
      const V4 high23 = __builtin_shufflevector(a[2], a[3], 2, 6, 3, 7);
      const V4 columns[4] = {
          __builtin_shufflevector(low01, low23, 0, 1, 4, 5), __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
          __builtin_shufflevector(high01, high23, 0, 1, 4, 5), __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
      for (int64_t c = 0; c < 4; ++c) __builtin_memcpy(to + (d + c) * kQueryBlock + i, &columns[c], sizeof(V4));
    }
  }
}

/// The keys that a vector of queries sees, from query `first` of a tile on: for query lane q, [from[q], to[q]).
struct Seen {
  Vi from, to;

  Seen(const AttentionHead& h, const Tile& tile, int64_t first) {
    for (int64_t lane = 0; lane < kWidth; ++lane) {
      const int64_t t = least(tile.query + first + lane, tile.query + tile.queries - 1);
      from[lane] = h.starts == nullptr ? 0 : static_cast<int32_t>(h.starts[t - h.first_query] - tile.key);
      to[lane] = static_cast<int32_t>(t + 1 - tile.key);
    }
  }
  Vi at(int64_t j) const {
    const Vi key = Vi{} + static_cast<int32_t>(j);
    return (key >= from) & (key < to);
  }
};

/// Whether every query of the tile sees every key of it.
inline bool all_seen(const AttentionHead& h, const Tile& tile) {
  if (tile.key + tile.keys > tile.query + 1) return false;
  bool all = true;
  for (int64_t t = tile.query; h.starts != nullptr && t < tile.query + tile.queries; ++t) {
    all = all && h.starts[t - h.first_query] <= tile.key;
  }
  return all;
}

/// The block of keys at which queries [from, to) begin.
inline int64_t first_key(const AttentionHead& h, int64_t from, int64_t to) {
  if (h.starts == nullptr) return 0;
  int64_t first = from;
  for (int64_t t = from; t < to; ++t) first = least(first, h.starts[t - h.first_query]);
  return first / kKeyBlock * kKeyBlock;
}

/// The random words of a tile's dropout, kGroupWords for each key.
inline void draw_tile(const AttentionHead& h, const Tile& tile, uint32_t* words) {
  const int64_t groups = (h.tokens + kMaskGroup - 1) / kMaskGroup;
  for (int64_t j = 0; j < tile.keys; ++j) {
    draw(h.mask, (h.mask_row + tile.key + j) * groups + tile.query / kMaskGroup, words + j * kGroupWords);
  }
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
