#include <tinyllm/ops/kernels/attention.h>
#include <tinyllm/ops/kernels/attention_pages.h>

// The forward pass of causal attention for one block of queries, over keys in rows or in the pages of a cache. It takes
// one block of keys after another and keeps a running softmax: whenever the maximum score of a query grows, its sums so
// far are scaled down (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018). Blocks of keys that
// no query sees are skipped.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr float kLowest = -3.0e38f;

struct Scratch {
  alignas(64) float keys[kMaxHeadSize * kKeyBlock];       // Keys of a page of halves, widened.
  alignas(64) float queries[kMaxHeadSize * kQueryBlock];  // Transposed, and scaled by 1 / sqrt(D).
  alignas(64) float values[kKeyBlock * kMaxHeadSize];
  alignas(64) float p[kKeyBlock * kQueryBlock];  // Scores, then weights exp(score - max).
  alignas(64) float out[kQueryBlock * kMaxHeadSize];
  alignas(64) float max[kQueryBlock];     // The maximum score of each query so far.
  alignas(64) float total[kQueryBlock];   // The sum of exp(score - max) so far.
  alignas(64) float shrink[kQueryBlock];  // exp(old max - new max): the factor for earlier sums.
  alignas(64) uint32_t words[kKeyBlock * kGroupWords];
};

// Keys and values in rows of `stride` floats.
struct KeyRows {
  const float *k, *v;
  int64_t head_size, stride;

  LeftFactor left_factor(int64_t key, Scratch&) const { return {k + key * stride, stride, 1}; }
  const float* values(int64_t key) const { return v + key * stride; }
  int64_t value_stride() const { return stride; }
  NextRows<float> next_keys(int64_t key, int64_t count) const {
    return {count > 0 ? k + key * stride : k, count, head_size, stride};
  }
};

// Keys and values in pages.
template <class T>
struct KeyCache {
  Pages<T> pages;
  int64_t head_size;

  LeftFactor left_factor(int64_t key, Scratch& s) const {
    const T* keys = pages.keys(key);
    if constexpr (sizeof(T) == sizeof(float)) {
      return {keys, 1, kKeyBlock};
    } else {
      for (int64_t i = 0; i < head_size * kKeyBlock; i += kWidth) store(s.keys + i, widen(keys + i));
      return {s.keys, 1, kKeyBlock};
    }
  }
  const T* values(int64_t key) const { return pages.values(key); }
  int64_t value_stride() const { return head_size; }
  NextRows<T> next_keys(int64_t key, int64_t count) const {
    if (count <= 0) return {pages.k, 0, 0, 0};
    return {pages.keys(key), head_size, kKeyBlock, kKeyBlock};
  }
};

// Turns the scores of the vector of queries at `first` into weights. Dropped weights become 0.
template <bool kMasked>
void online_softmax(const FirstKeys& first_keys, const DropoutMask& dropout, const Block& block, int64_t first,
                    Scratch& s) {
  const SeenKeys seen(first_keys, block, first);
  const int64_t keys = block.end_key(first + kWidth - 1);
  const Vf before = load(s.max + first);
  Vf now = before;
  for (int64_t j = 0; j < keys; ++j) {
    float* at = s.p + j * kQueryBlock + first;
    if constexpr (kMasked) store(at, seen.mask(j) ? load(at) : splat(kLowest));
    now = greater(load(at), now);
  }
  Vf total = {};
  for (int64_t j = 0; j < keys; ++j) {
    float* at = s.p + j * kQueryBlock + first;
    Vf p = bounded_exp(load(at) - now);
    if constexpr (kMasked) p = select(seen.mask(j), p);
    total += p;
    store(at, dropout.threshold == 0 ? p : select(kept(dropout, s.words + j * kGroupWords, first), p));
  }
  const Vf shrink = bounded_exp(before - now);
  store(s.max + first, now);
  store(s.total + first, load(s.total + first) * shrink + total);
  store(s.shrink + first, shrink);
}

// Adds a block of keys and values to the running softmax and output of its queries.
template <class Keys>
void add_block(const Keys& keys, int64_t head_size, const FirstKeys& first_keys, const AttentionDropout& dropout,
               const Block& block, Scratch& s) {
  const int64_t ld = whole_vectors(head_size);
  const auto* values = keys.values(block.key);
  transposed_scores(block, head_size, keys.left_factor(block.key, s), s.queries, s.p,
                    NextRows{values, block.keys, head_size, keys.value_stride()});
  if (dropout.mask.threshold != 0) draw_block(dropout, block, s.words);
  const bool whole = first_keys.hide_none(block);
  for (int64_t first = 0; first < block.queries; first += kWidth) {
    if (whole) {
      online_softmax<false>(first_keys, dropout.mask, block, first, s);
    } else {
      online_softmax<true>(first_keys, dropout.mask, block, first, s);
    }
  }
  pack_rows(block.keys, head_size, values, keys.value_stride(), 1, s.values);
  const Terms terms = terms_of(whole || all_finite(s.values, block.keys * ld / kWidth, kWidth));
  const int64_t next = block.key + block.keys;
  const auto next_keys = keys.next_keys(next, least(kKeyBlock, block.query + block.queries - next));
  for (int64_t i = 0; i < block.queries; i += kTileRows) {
    next_keys.prefetch(i);
    const int64_t rows = least(kTileRows, block.queries - i);
    multiply_rows(terms, rows, ld, block.end_key(i + rows - 1), {s.p + i, 1, kQueryBlock}, s.values, ld,
                  [&](int64_t r, int64_t d, Vf sums, int64_t) {
                    float* to = s.out + (i + r) * ld + d;
                    store(to, fma(load(to), splat(s.shrink[i + r]), sums));
                  });
  }
}

template <class Keys>
void attend(const QueryBlock& q, const Keys& keys, const AttentionDropout& dropout, float* lse) {
  Scratch s;
  const int64_t ld = whole_vectors(q.head_size);
  const FirstKeys first_keys{q.starts, q.first};
  pack_rows(q.count, q.head_size, q.q, q.stride, score_scale(q.head_size), s.out);
  transpose_rows(q.count, q.head_size, s.out, s.queries);
  for (int64_t i = 0; i < q.count * ld; ++i) s.out[i] = 0;
  for (int64_t i = 0; i < kQueryBlock; ++i) {
    s.max[i] = kLowest;
    s.total[i] = 0;
  }
  const int64_t end = q.first + q.count;
  for (int64_t key = first_keys.first_block(q.first, end); key < end; key += kKeyBlock) {
    add_block(keys, q.head_size, first_keys, dropout, {q.first, q.count, key, least(kKeyBlock, end - key)}, s);
  }
  for (int64_t i = 0; i < q.count; ++i) {
    const float factor = dropout.mask.scale / s.total[i];
    float* out = q.out + i * q.stride;
    for_each_vector(q.head_size,
                    [&](int64_t d, int64_t n) { store_any(out + d, load(s.out + i * ld + d) * factor, n); });
    if (lse != nullptr) lse[i] = s.max[i] + __builtin_logf(s.total[i]);
  }
}

void attention(const AttentionForward& a) {
  attend(a.queries, KeyRows{a.k, a.v, a.queries.head_size, a.kv_stride}, a.dropout, a.lse);
}

void attention_cached(const QueryBlock& queries, const KeyPages& cache) {
  const AttentionDropout none{};
  if (cache.type == f16) return attend(queries, KeyCache<Half>{Pages<Half>(cache), queries.head_size}, none, nullptr);
  attend(queries, KeyCache<float>{Pages<float>(cache), queries.head_size}, none, nullptr);
}

}  // namespace

void fill_attention(Kernels& table) {
  table.attention = attention;
  table.attention_cached = attention_cached;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
