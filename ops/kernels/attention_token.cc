#include <tinyllm/ops/kernels/attention_pages.h>

// Attention of one query, for generating a token. It takes the heads that share keys and values together, so that each
// page is read once. A vector holds neighbouring keys. Every number is computed by the same steps in the same order as
// in attention.cc. The result is therefore bit-identical to that of the same token in a prompt.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr float kLowest = -3.0e38f;
constexpr int64_t kKeyVectors = kKeyBlock / kWidth;

struct Scratch {
  alignas(64) float q[kMaxShared * kMaxHeadSize];  // Scaled by 1 / sqrt(D).
  alignas(64) float out[kMaxShared * kMaxHeadSize];
  alignas(64) float p[kMaxShared * kKeyBlock];          // Weights exp(score - max) of a block of keys.
  alignas(64) float widened[kMaxHeadSize * kKeyBlock];  // The keys of a block of halves, then its values.
  float max[kMaxShared];                                // The maximum score of each head so far.
  float total[kMaxShared];                              // The sum of exp(score - max) so far.
  float shrink[kMaxShared];                             // exp(old max - new max): the factor for earlier sums.
};

// Computes the weights of one head for `count` keys of a block. Calls `prefetch(d)` before it reads row d of the keys.
template <class T, class Prefetch>
void weigh_keys(Scratch& s, int64_t head, const T* keys, int64_t count, int64_t size, Prefetch prefetch) {
  Vf scores[kKeyVectors] = {};
  const float* q = s.q + head * kMaxHeadSize;
  float* p = s.p + head * kKeyBlock;
  for (int64_t d = 0; d < size; ++d) {
    prefetch(d);
    const Vf x = splat(q[d]);
#pragma GCC unroll 16
    for (int64_t j = 0; j < kKeyVectors; ++j) scores[j] = fma(widen(keys + d * kKeyBlock + j * kWidth), x, scores[j]);
  }
#pragma GCC unroll 16
  for (int64_t j = 0; j < kKeyVectors; ++j) store(p + j * kWidth, scores[j]);
  for (int64_t j = count; j < whole_vectors(count); ++j) p[j] = kLowest;

  const float before = s.max[head];
  Vf max = splat(before);
  for (int64_t j = 0; j < count; j += kWidth) max = greater(load(p + j), max);
  const float now = greatest(max);
  for (int64_t j = 0; j < count; j += kWidth) store(p + j, bounded_exp(load(p + j) - splat(now)));
  float total = 0;
  for (int64_t j = 0; j < count; ++j) total += p[j];
  s.shrink[head] = bounded_exp(splat(before - now))[0];
  s.max[head] = now;
  s.total[head] = s.total[head] * s.shrink[head] + total;
}

// out = out shrink + p values, for one head and the `count` values of a block.
template <class T>
void add_values(const T* values, int64_t count, int64_t size, const float* p, float shrink, float* out) {
  const auto put = [&](int64_t d, Vf sums) { store(out + d, fma(load(out + d), splat(shrink), sums)); };
  const int64_t whole = size / kWidth * kWidth;
  multiply_rows(1, whole, count, {p, 0, 1}, values, size, [&](int64_t, int64_t d, Vf sums, int64_t) { put(d, sums); });
  if (whole == size) return;
  Vf sums = {};
  for (int64_t j = 0; j < count; ++j) sums = fma(splat(p[j]), widen(values + j * size + whole, size - whole), sums);
  put(whole, sums);
}

// Adds the block of keys and values from `key` on, for all heads.
template <class T>
void add_block(const AttentionToken& a, const Pages<T>& cache, int64_t key, Scratch& s) {
  const int64_t count = least(kKeyBlock, a.tokens - key), size = a.head_size;
  const T* keys = cache.keys(key);
  const T* values = cache.values(key);
  const T* next_keys = key + kKeyBlock < a.tokens ? cache.keys(key + kKeyBlock) : keys;
  // Prefetches a row of this block's values and one of the next block's keys.
  const auto prefetch = [&](int64_t d) {
    constexpr int64_t kLine = 64 / sizeof(T);  // Numbers in a cache line.
#pragma GCC unroll 4
    for (int64_t j = 0; j < kKeyBlock; j += kLine) {
      __builtin_prefetch(values + d * kKeyBlock + j);
      __builtin_prefetch(next_keys + d * kKeyBlock + j);
    }
  };
  const auto no_prefetch = [](int64_t) {};
  const auto weigh = [&](int64_t head, const auto* from, auto prefetch_row) {
    weigh_keys(s, head, from, count, size, prefetch_row);
  };
  const auto add = [&](int64_t head, const auto* from) {
    add_values(from, count, size, s.p + head * kKeyBlock, s.shrink[head], s.out + head * kMaxHeadSize);
  };
  if constexpr (sizeof(T) < sizeof(float)) {
    if (a.heads > 1) {  // Halves are widened once for all heads.
      for (int64_t d = 0; d < size; ++d) {
        prefetch(d);
        for (int64_t j = 0; j < kKeyBlock; j += kWidth) {
          store(s.widened + d * kKeyBlock + j, widen(keys + d * kKeyBlock + j));
        }
      }
      for (int64_t i = 0; i < a.heads; ++i) weigh(i, s.widened, no_prefetch);
      for_each_vector(count * size, [&](int64_t j, int64_t n) { store_any(s.widened + j, widen(values + j, n), n); });
      for (int64_t i = 0; i < a.heads; ++i) add(i, s.widened);
      return;
    }
  }
  weigh(0, keys, prefetch);
  for (int64_t i = 1; i < a.heads; ++i) weigh(i, keys, no_prefetch);
  for (int64_t i = 0; i < a.heads; ++i) add(i, values);
}

template <class T>
void attend(const AttentionToken& a) {
  Scratch s;
  const Pages<T> cache(a.cache);
  for (int64_t i = 0; i < a.heads; ++i) {
    pack_rows(1, a.head_size, a.q + i * a.head_size, 0, score_scale(a.head_size), s.q + i * kMaxHeadSize);
    for (int64_t d = 0; d < whole_vectors(a.head_size); ++d) s.out[i * kMaxHeadSize + d] = 0;
    s.max[i] = kLowest;
    s.total[i] = 0;
  }
  for (int64_t key = 0; key < a.tokens; key += kKeyBlock) add_block(a, cache, key, s);
  for (int64_t i = 0; i < a.heads; ++i) {
    const Vf factor = splat(1 / s.total[i]);
    float* out = a.out + i * a.head_size;
    for_each_vector(a.head_size,
                    [&](int64_t d, int64_t n) { store_any(out + d, load(s.out + i * kMaxHeadSize + d) * factor, n); });
  }
}

void attention_token(const AttentionToken& a) {
  if (a.cache.type == f16) return attend<Half>(a);
  attend<float>(a);
}

}  // namespace

void fill_attention_token(Kernels& table) { table.attention_token = attention_token; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
