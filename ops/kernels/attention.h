#pragma once

#include <tinyllm/ops/kernels/attention_product.h>
#include <tinyllm/ops/kernels/random.h>

// What the forward and the backward pass of attention share. Both work on blocks of 64 queries and 64 keys. The scores
// of a block are stored transposed, [keys, queries]. A vector then holds neighbouring queries, so that maxima, sums and
// masks need no work across lanes, and every product has the form of attention_product.h. At head size 64 a block is
// four arrays of 16 KB. A product uses two or three of them, which fit an L1 cache of 32 to 48 KB.
namespace tinyllm::kernels::TINYLLM_ISA {

static_assert(kQueryBlock % kWidth == 0 && kQueryBlock == kMaskGroup);
// The vectors of queries that see a key are then the same for all rows of a tile.
static_assert(kWidth % kTileRows == 0);

/// A block of scores: queries [query, query + queries) against keys [key, key + keys).
struct Block {
  int64_t query, queries, key, keys;

  /// The first query that sees key j. All three numbers are relative to the block.
  int64_t first_query(int64_t j) const { return key + j > query ? key + j - query : 0; }
  /// The end of the keys that query i sees.
  int64_t end_key(int64_t i) const { return least(keys, query + i + 1 - key); }
};

/// The first key that each query sees; the last one is its own.
struct FirstKeys {
  const int32_t* starts;  ///< Of the queries from `first_query` on. Null: all queries see key 0.
  int64_t first_query;

  int64_t of(int64_t query) const { return starts == nullptr ? 0 : starts[query - first_query]; }

  /// Whether every query of the block sees every key of it.
  bool hide_none(const Block& block) const {
    if (block.key + block.keys > block.query + 1) return false;
    bool none = true;
    for (int64_t t = block.query; starts != nullptr && t < block.query + block.queries; ++t) {
      none = none && of(t) <= block.key;
    }
    return none;
  }

  /// The beginning of the first block of keys that queries [from, to) see.
  int64_t first_block(int64_t from, int64_t to) const {
    if (starts == nullptr) return 0;
    int64_t first = from;
    for (int64_t t = from; t < to; ++t) first = least(first, of(t));
    return first / kKeyBlock * kKeyBlock;
  }
};

/// The keys of a block that a vector of queries sees: lane q, query first + q of the block, sees keys [from[q], to[q]).
struct SeenKeys {
  Vi from, to;

  SeenKeys(const FirstKeys& first_keys, const Block& block, int64_t first) {
    for (int64_t lane = 0; lane < kWidth; ++lane) {
      const int64_t t = least(block.query + first + lane, block.query + block.queries - 1);
      from[lane] = first_keys.starts == nullptr ? 0 : static_cast<int32_t>(first_keys.of(t) - block.key);
      to[lane] = static_cast<int32_t>(t + 1 - block.key);
    }
  }
  /// All bits set in the lanes that see key j.
  Vi mask(int64_t j) const {
    const Vi key = Vi{} + static_cast<int32_t>(j);
    return (key >= from) & (key < to);
  }
};

/// Draws the random words of a block's dropout, kGroupWords for each key.
inline void draw_block(const AttentionDropout& dropout, const Block& block, uint32_t* words) {
  const int64_t groups = (dropout.tokens + kMaskGroup - 1) / kMaskGroup;
  for (int64_t j = 0; j < block.keys; ++j) {
    draw(dropout.mask, (dropout.row + block.key + j) * groups + block.query / kMaskGroup, words + j * kGroupWords);
  }
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

/// s[j, i] = sum_d keys[j, d] queries[d, i]. Rows of s and `queries` are kQueryBlock apart. Vectors of queries that do
/// not see key j are left out.
template <class T>
inline void transposed_scores(const Block& block, int64_t head_size, LeftFactor keys, const float* queries, float* s,
                              const NextRows<T>& next) {
  for (int64_t j = 0; j < block.keys; j += kTileRows) {
    next.prefetch(j);
    const int64_t first = block.first_query(j) / kWidth * kWidth;
    float* to = s + j * kQueryBlock + first;
    multiply_rows(least(kTileRows, block.keys - j), whole_vectors(block.queries) - first, head_size,
                  {keys.at + j * keys.row, keys.row, keys.step}, queries + first, kQueryBlock,
                  [&](int64_t i, int64_t c, Vf sums, int64_t) { store(to + i * kQueryBlock + c, sums); });
  }
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
