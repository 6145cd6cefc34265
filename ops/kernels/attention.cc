#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/random.h>
#include <tinyllm/ops/kernels/simd.h>

// Causal attention of one head, block by block: a block of queries meets a block of keys, whose scores live in a
// kQueryBlock x kKeyBlock scratch on the stack. Blocks above the diagonal, or before the document's start, are skipped.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr int64_t kKeyBlock = 64;
static_assert(kKeyBlock <= kMaskChunk);

// c[kRows, n] += a b for up to two vectors of columns; element (i, p) of a is at i * a_row + p * a_step.
template <int64_t kRows, int64_t kVectors>
inline void multiply_tile(int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step, const float* b,
                          int64_t ldb, float* c, int64_t ldc) {
  const int64_t tail = n - (kVectors - 1) * kWidth;  // Columns in the last vector.
  Vf acc[kRows][kVectors];
#pragma GCC unroll 4
  for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int64_t j = 0; j < kVectors; ++j) {
      acc[i][j] = load_any(c + i * ldc + j * kWidth, j + 1 == kVectors ? tail : kWidth);
    }
  }
  const auto step = [&](int64_t p, int64_t last) {
    Vf row[kVectors];
#pragma GCC unroll 2
    for (int64_t j = 0; j < kVectors; ++j) {
      row[j] = load_any(b + p * ldb + j * kWidth, j + 1 == kVectors ? last : kWidth);
    }
#pragma GCC unroll 4
    for (int64_t i = 0; i < kRows; ++i) {
      const Vf x = splat(a[i * a_row + p * a_step]);
#pragma GCC unroll 2
      for (int64_t j = 0; j < kVectors; ++j) acc[i][j] = fma(x, row[j], acc[i][j]);
    }
  };
  if (tail == kWidth) {
    for (int64_t p = 0; p < k; ++p) step(p, kWidth);
  } else {
    for (int64_t p = 0; p < k; ++p) step(p, tail);
  }
#pragma GCC unroll 4
  for (int64_t i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int64_t j = 0; j < kVectors; ++j) {
      store_any(c + i * ldc + j * kWidth, acc[i][j], j + 1 == kVectors ? tail : kWidth);
    }
  }
}

template <int64_t kRows>
inline void multiply_rows(int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step, const float* b,
                          int64_t ldb, float* c, int64_t ldc) {
  for (int64_t j = 0; j < n; j += 2 * kWidth) {
    const int64_t columns = least(2 * kWidth, n - j);
    if (columns > kWidth) {
      multiply_tile<kRows, 2>(columns, k, a, a_row, a_step, b + j, ldb, c + j, ldc);
    } else {
      multiply_tile<kRows, 1>(columns, k, a, a_row, a_step, b + j, ldb, c + j, ldc);
    }
  }
}

void multiply(int64_t m, int64_t n, int64_t k, const float* a, int64_t a_row, int64_t a_step, const float* b,
              int64_t ldb, float* c, int64_t ldc) {
  int64_t i = 0;
  for (; i + 4 <= m; i += 4) multiply_rows<4>(n, k, a + i * a_row, a_row, a_step, b, ldb, c + i * ldc, ldc);
  for (; i < m; ++i) multiply_rows<1>(n, k, a + i * a_row, a_row, a_step, b, ldb, c + i * ldc, ldc);
}

// to[p, j] = rows[j, p] for kKeyBlock columns j, those beyond `count` zeros.
void transpose(int64_t count, int64_t size, const float* rows, int64_t stride, float* to) {
  for (int64_t p = 0; p < size; ++p) {
    for (int64_t j = 0; j < count; ++j) to[p * kKeyBlock + j] = rows[j * stride + p];
    for (int64_t j = count; j < kKeyBlock; ++j) to[p * kKeyBlock + j] = 0;
  }
}

// One block of queries against one block of keys.
struct Tile {
  int64_t query, queries, key, keys;

  // The keys of this block that a query sees: [from, to), relative to `key`.
  struct Range {
    int64_t from, to;
  };
  Range seen(const AttentionHead& h, int64_t row) const {
    const int64_t t = query + row;
    const int64_t start = h.starts == nullptr ? 0 : h.starts[t];
    return {start > key ? start - key : 0, least(t + 1 - key, keys)};
  }
};

int64_t first_key(const AttentionHead& h, int64_t from, int64_t to) {
  if (h.starts == nullptr) return 0;
  int64_t first = from;
  for (int64_t t = from; t < to; ++t) first = least(first, h.starts[t]);
  return first / kKeyBlock * kKeyBlock;
}

inline void zero_outside(float* row, Tile::Range range) {
  for (int64_t j = 0; j < least(range.from, kKeyBlock); ++j) row[j] = 0;
  for (int64_t j = range.to > 0 ? range.to : 0; j < kKeyBlock; ++j) row[j] = 0;
}

void mask_row(const AttentionHead& h, const Tile& tile, int64_t row, float* mask) {
  keep_mask(h.mask, h.mask_first + (tile.query + row) * h.tokens + tile.key, tile.keys, mask);
}

void scores(const AttentionHead& h, const Tile& tile, const float* keys, float* s) {
  for (int64_t i = 0; i < tile.queries * kKeyBlock; ++i) s[i] = 0;
  multiply(tile.queries, kKeyBlock, h.head_size, h.q + (tile.query - h.first_query) * h.stride, h.stride, 1, keys,
           kKeyBlock, s, kKeyBlock);
}

float scale_of(const AttentionHead& h) { return 1.0f / __builtin_sqrtf(static_cast<float>(h.head_size)); }

// Turns a row of scores into exp(score - max so far), and brings the sums so far to the same maximum.
void online_softmax(const AttentionHead& h, Tile::Range range, float* row, float* out, float& most, float& total) {
  const float scale = scale_of(h);
  float now = most;
  for (int64_t j = range.from; j < range.to; ++j) now = row[j] * scale > now ? row[j] * scale : now;
  for (int64_t j = 0; j < kKeyBlock; j += kWidth) store(row + j, exp(load(row + j) * scale - now));
  zero_outside(row, range);
  Vf sums = {};
  for (int64_t j = 0; j < kKeyBlock; j += kWidth) sums += load(row + j);
  const float shrink = exp(splat(most - now))[0];
  total = total * shrink + sum(sums);
  if (shrink != 1.0f) {
    for_each_vector(h.head_size, [&](int64_t i, int64_t n) { store_any(out + i, load_any(out + i, n) * shrink, n); });
  }
  most = now;
}

void attention(const AttentionHead& h, int64_t from, int64_t to) {
  constexpr float kLowest = -3.0e38f;
  alignas(64) float keys[kMaxHeadSize * kKeyBlock];
  alignas(64) float s[kQueryBlock * kKeyBlock];
  alignas(64) float mask[kMaskChunk];
  float* out_rows = h.out + (from - h.first_query) * h.stride;
  float most[kQueryBlock];
  float total[kQueryBlock];
  for (int64_t i = 0; i < to - from; ++i) {
    most[i] = kLowest;
    total[i] = 0;
    for (int64_t d = 0; d < h.head_size; ++d) out_rows[i * h.stride + d] = 0;
  }
  for (int64_t key = first_key(h, from, to); key < to; key += kKeyBlock) {
    const Tile tile = {from, to - from, key, least(kKeyBlock, to - key)};
    transpose(tile.keys, h.head_size, h.k + key * h.kv_stride, h.kv_stride, keys);
    scores(h, tile, keys, s);
    for (int64_t i = 0; i < tile.queries; ++i) {
      float* row = s + i * kKeyBlock;
      const Tile::Range range = tile.seen(h, i);
      if (range.from >= range.to) {
        for (int64_t j = 0; j < kKeyBlock; ++j) row[j] = 0;
        continue;
      }
      online_softmax(h, range, row, out_rows + i * h.stride, most[i], total[i]);
      if (h.mask.threshold == 0) continue;
      mask_row(h, tile, i, mask);
      for (int64_t j = 0; j < tile.keys; ++j) row[j] *= mask[j];
    }
    multiply(tile.queries, h.head_size, tile.keys, s, kKeyBlock, 1, h.v + key * h.kv_stride, h.kv_stride, out_rows,
             h.stride);
  }
  for (int64_t i = 0; i < to - from; ++i) {
    float* out = out_rows + i * h.stride;
    const float inverse = 1.0f / total[i];
    for_each_vector(h.head_size, [&](int64_t d, int64_t n) { store_any(out + d, load_any(out + d, n) * inverse, n); });
    if (h.lse != nullptr) h.lse[from - h.first_query + i] = most[i] + __builtin_logf(total[i]);
  }
}

// Turns scores into weights p, and the gradient of the (dropped) weights in `dp` into that of the scores; leaves the
// dropped weights in `p`. With delta = sum_d dout out = sum_j p dp: dscore = p (dp - delta).
void score_gradient(const AttentionHead& h, const Tile& tile, float* p, float* dp) {
  alignas(64) float mask[kMaskChunk];
  const float scale = scale_of(h);
  for (int64_t i = 0; i < tile.queries; ++i) {
    float* row = p + i * kKeyBlock;
    float* drow = dp + i * kKeyBlock;
    const int64_t t = tile.query + i;
    Vf delta_sums = {};
    for_each_vector(h.head_size, [&](int64_t d, int64_t n) {
      delta_sums += load_any(h.dout + t * h.stride + d, n) * load_any(h.out + t * h.stride + d, n);
    });
    const float delta = sum(delta_sums);
    for (int64_t j = 0; j < kKeyBlock; j += kWidth) store(row + j, exp(load(row + j) * scale - h.lse[t]));
    zero_outside(row, tile.seen(h, i));
    if (h.mask.threshold == 0) {
      for (int64_t j = 0; j < kKeyBlock; ++j) drow[j] = row[j] * (drow[j] - delta) * scale;
      continue;
    }
    mask_row(h, tile, i, mask);
    for (int64_t j = tile.keys; j < kKeyBlock; ++j) mask[j] = 0;
    for (int64_t j = 0; j < kKeyBlock; ++j) drow[j] = row[j] * (drow[j] * mask[j] - delta) * scale;
    for (int64_t j = 0; j < kKeyBlock; ++j) row[j] *= mask[j];
  }
}

void attention_grad(const AttentionHead& h) {
  alignas(64) float keys[kMaxHeadSize * kKeyBlock];
  alignas(64) float values[kMaxHeadSize * kKeyBlock];
  alignas(64) float p[kQueryBlock * kKeyBlock];
  alignas(64) float ds[kQueryBlock * kKeyBlock];
  for (int64_t key = 0; key < h.tokens; key += kKeyBlock) {
    const int64_t count = least(kKeyBlock, h.tokens - key);
    transpose(count, h.head_size, h.k + key * h.kv_stride, h.kv_stride, keys);
    transpose(count, h.head_size, h.v + key * h.kv_stride, h.kv_stride, values);
    for (int64_t query = key; query < h.tokens; query += kQueryBlock) {
      const Tile tile = {query, least(kQueryBlock, h.tokens - query), key, count};
      if (first_key(h, query, query + tile.queries) > key) continue;
      const float* q = h.q + query * h.stride;
      const float* dout = h.dout + query * h.stride;
      scores(h, tile, keys, p);
      for (int64_t i = 0; i < tile.queries * kKeyBlock; ++i) ds[i] = 0;
      multiply(tile.queries, kKeyBlock, h.head_size, dout, h.stride, 1, values, kKeyBlock, ds, kKeyBlock);
      score_gradient(h, tile, p, ds);
      multiply(count, h.head_size, tile.queries, p, 1, kKeyBlock, dout, h.stride, h.dv + key * h.kv_stride,
               h.kv_stride);
      multiply(count, h.head_size, tile.queries, ds, 1, kKeyBlock, q, h.stride, h.dk + key * h.kv_stride, h.kv_stride);
      multiply(tile.queries, h.head_size, count, ds, kKeyBlock, 1, h.k + key * h.kv_stride, h.kv_stride,
               h.dq + query * h.stride, h.stride);
    }
  }
}

}  // namespace

void fill_attention(Kernels& table) {
  table.attention = attention;
  table.attention_grad = attention_grad;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
