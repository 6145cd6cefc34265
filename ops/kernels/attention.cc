#include <tinyllm/ops/kernels/attention.h>

// Causal attention of one block of queries, block of keys by block of keys, with the softmax brought to the greatest
// score so far (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). Blocks above the diagonal,
// or before the document's start, are skipped.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr float kLowest = -3.0e38f;

struct Scratch {
  alignas(64) float keys[kMaxHeadSize * kKeyBlock];       // Of a page in half precision.
  alignas(64) float queries[kMaxHeadSize * kQueryBlock];  // Transposed, and scaled by 1 / sqrt(D).
  alignas(64) float values[kKeyBlock * kMaxHeadSize];
  alignas(64) float p[kKeyBlock * kQueryBlock];
  alignas(64) float out[kQueryBlock * kMaxHeadSize];
  alignas(64) float most[kQueryBlock];    // Of each query, the greatest score so far,
  alignas(64) float total[kQueryBlock];   // the sum of exp(score - most),
  alignas(64) float shrink[kQueryBlock];  // and what this block's maximum makes of earlier sums.
  alignas(64) uint32_t words[kKeyBlock * kGroupWords];
};

// Turns the scores of the vector of queries at `first` into exp(score - most), dropped where the mask says so.
template <bool kMasked>
void online_softmax(const AttentionHead& h, const Tile& tile, int64_t first, Scratch& s) {
  const Seen seen(h, tile, first);
  const int64_t keys = tile.end_key(first + kWidth - 1);
  const Vf before = load(s.most + first);
  Vf now = before;
  for (int64_t j = 0; j < keys; ++j) {
    float* at = s.p + j * kQueryBlock + first;
    if constexpr (kMasked) store(at, seen.at(j) ? load(at) : splat(kLowest));
    now = greater(load(at), now);
  }
  Vf total = {};
  for (int64_t j = 0; j < keys; ++j) {
    float* at = s.p + j * kQueryBlock + first;
    Vf p = bounded_exp(load(at) - now);
    if constexpr (kMasked) p = select(seen.at(j), p);
    total += p;
    store(at, h.mask.threshold == 0 ? p : select(kept(h.mask, s.words + j * kGroupWords, first), p));
  }
  const Vf shrink = bounded_exp(before - now);
  store(s.most + first, now);
  store(s.total + first, load(s.total + first) * shrink + total);
  store(s.shrink + first, shrink);
}

// The keys of a block as floats: where they are, or widened.
Left float_keys(const AttentionHead& h, const float* keys, Scratch&) {
  return h.pages != nullptr ? Left{keys, 1, kKeyBlock} : Left{keys, h.kv_stride, 1};
}
Left float_keys(const AttentionHead& h, const Half* keys, Scratch& s) {
  for (int64_t i = 0; i < h.head_size * kKeyBlock; i += kWidth) store(s.keys + i, widen(keys + i));
  return {s.keys, 1, kKeyBlock};
}

template <class T>
void add_block(const AttentionHead& h, const Tile& tile, Scratch& s) {
  const int64_t ld = whole_vectors(h.head_size);
  const int64_t at = block_offset(h, tile.key);
  const bool is_paged = h.pages != nullptr;
  const T* values = values_of<T>(h) + at;
  transposed_scores(tile, h.head_size, float_keys(h, keys_of<T>(h) + at, s), s.queries, s.p,
                    Ahead<T>{values, tile.keys, h.head_size, h.kv_stride});
  if (h.mask.threshold != 0) draw_tile(h, tile, s.words);
  const bool whole = all_seen(h, tile);
  for (int64_t first = 0; first < tile.queries; first += kWidth) {
    if (whole) {
      online_softmax<false>(h, tile, first, s);
    } else {
      online_softmax<true>(h, tile, first, s);
    }
  }
  pack_rows(tile.keys, h.head_size, values, h.kv_stride, 1, s.values);
  const Terms terms = terms_of(whole || all_finite(s.values, tile.keys * ld / kWidth, kWidth));
  const int64_t next = tile.key + tile.keys;
  const int64_t ahead_keys = least(kKeyBlock, tile.query + tile.queries - next);
  const T* next_keys = keys_of<T>(h) + (ahead_keys > 0 ? block_offset(h, next) : 0);
  const Ahead<T> ahead = is_paged ? Ahead<T>{next_keys, ahead_keys > 0 ? h.head_size : 0, kKeyBlock, kKeyBlock}
                                  : Ahead<T>{next_keys, ahead_keys, h.head_size, h.kv_stride};
  for (int64_t i = 0; i < tile.queries; i += kStrip) {
    ahead.strip(i);
    const int64_t rows = least(kStrip, tile.queries - i);
    multiply_strip(terms, rows, ld, tile.end_key(i + rows - 1), {s.p + i, 1, kQueryBlock}, s.values, ld,
                   [&](int64_t r, int64_t d, Vf sums, int64_t) {
                     float* to = s.out + (i + r) * ld + d;
                     store(to, fma(load(to), splat(s.shrink[i + r]), sums));
                   });
  }
}

template <class T>
void attend(const AttentionHead& h, int64_t from, int64_t to) {
  Scratch s;
  const int64_t ld = whole_vectors(h.head_size);
  const int64_t queries = to - from;
  const int64_t row = from - h.first_query;
  pack_rows(queries, h.head_size, h.q + row * h.stride, h.stride, score_scale(h), s.out);
  transpose_rows(queries, h.head_size, s.out, s.queries);
  for (int64_t i = 0; i < queries * ld; ++i) s.out[i] = 0;
  for (int64_t i = 0; i < kQueryBlock; ++i) {
    s.most[i] = kLowest;
    s.total[i] = 0;
  }
  for (int64_t key = first_key(h, from, to); key < to; key += kKeyBlock) {
    add_block<T>(h, {from, queries, key, least(kKeyBlock, to - key)}, s);
  }
  for (int64_t i = 0; i < queries; ++i) {
    const float factor = h.mask.scale / s.total[i];
    float* out = h.out + (row + i) * h.stride;
    for_each_vector(h.head_size,
                    [&](int64_t d, int64_t n) { store_any(out + d, load(s.out + i * ld + d) * factor, n); });
    if (h.lse != nullptr) h.lse[row + i] = s.most[i] + __builtin_logf(s.total[i]);
  }
}

void attention(const AttentionHead& h, int64_t from, int64_t to) {
  if (h.k16 != nullptr) return attend<Half>(h, from, to);
  attend<float>(h, from, to);
}

}  // namespace

void fill_attention(Kernels& table) { table.attention = attention; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
