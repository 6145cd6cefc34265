#include <tinyllm/ops/kernels/attention.h>

// Attention of one query, as when a token is generated: for heads that share their keys and values, so that these are
// read once, from pages. A vector holds neighbouring keys in place of neighbouring queries. Every number is computed by
// the same steps in the same order as in attention.cc, and is the same to the bit: a token has the result that it would
// have had in a prompt.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr float kLowest = -3.0e38f;
constexpr int64_t kKeyVectors = kKeyBlock / kWidth;

struct Scratch {
  alignas(64) float q[kMaxShared * kMaxHeadSize];  // Scaled by 1 / sqrt(D).
  alignas(64) float out[kMaxShared * kMaxHeadSize];
  alignas(64) float p[kMaxShared * kKeyBlock];          // Of a block of keys: exp(score - most),
  float shrink[kMaxShared];                             // what its maximum makes of earlier sums,
  alignas(64) float widened[kMaxHeadSize * kKeyBlock];  // and its keys, then its values, where they are halves.
  float most[kMaxShared], total[kMaxShared];
};

// Turns `count` keys of a transposed block into weights of one head. Calls `ask(d)` as it goes, to ask the caches for
// what follows.
template <class T, class Ask>
void weigh_keys(Scratch& s, int64_t head, const T* keys, int64_t count, int64_t size, Ask ask) {
  Vf scores[kKeyVectors] = {};
  const float* q = s.q + head * kMaxHeadSize;
  float* p = s.p + head * kKeyBlock;
  for (int64_t d = 0; d < size; ++d) {
    ask(d);
    const Vf x = splat(q[d]);
#pragma GCC unroll 16
    for (int64_t j = 0; j < kKeyVectors; ++j) scores[j] = fma(widen(keys + d * kKeyBlock + j * kWidth), x, scores[j]);
  }
#pragma GCC unroll 16
  for (int64_t j = 0; j < kKeyVectors; ++j) store(p + j * kWidth, scores[j]);
  for (int64_t j = count; j < whole_vectors(count); ++j) p[j] = kLowest;

  const float before = s.most[head];
  Vf most = splat(before);
  for (int64_t j = 0; j < count; j += kWidth) most = greater(load(p + j), most);
  const float now = greatest(most);
  for (int64_t j = 0; j < count; j += kWidth) store(p + j, bounded_exp(load(p + j) - splat(now)));
  float total = 0;
  for (int64_t j = 0; j < count; ++j) total += p[j];
  s.shrink[head] = bounded_exp(splat(before - now))[0];
  s.most[head] = now;
  s.total[head] = s.total[head] * s.shrink[head] + total;
}

// out = out shrink + p values. Rows are read once, as many vectors of them as a tile has.
template <class T>
void add_values(const T* values, int64_t count, int64_t size, int64_t stride, const float* p, float shrink,
                float* out) {
  const auto put = [&](int64_t d, Vf sums) { store(out + d, fma(load(out + d), splat(shrink), sums)); };
  const int64_t whole = size / kWidth * kWidth;
  multiply_strip(1, whole, count, {p, 0, 1}, values, stride,
                 [&](int64_t, int64_t d, Vf sums, int64_t) { put(d, sums); });
  if (whole == size) return;
  Vf sums = {};
  for (int64_t j = 0; j < count; ++j) sums = fma(splat(p[j]), widen(values + j * stride + whole, size - whole), sums);
  put(whole, sums);
}

// The keys from `key` on, up to a block of them, for all heads.
template <class T>
void add_block(const AttentionHead& h, int64_t heads, int64_t key, Scratch& s) {
  const int64_t count = least(kKeyBlock, h.tokens - key), size = h.head_size;
  const int64_t at = block_offset(h, key);
  const T* keys = keys_of<T>(h) + at;
  const T* values = values_of<T>(h) + at;
  const T* next = key + kKeyBlock < h.tokens ? keys_of<T>(h) + block_offset(h, key + kKeyBlock) : keys;
  // This block's values and the next one's keys, a row of either.
  const auto ask = [&](int64_t d) {
    constexpr int64_t kLine = 64 / sizeof(T);  // Numbers of a line of a cache.
#pragma GCC unroll 4
    for (int64_t j = 0; j < kKeyBlock; j += kLine) {
      __builtin_prefetch(values + d * kKeyBlock + j);
      __builtin_prefetch(next + d * kKeyBlock + j);
    }
  };
  const auto weigh = [&](int64_t head, const auto* from, auto ask_each) {
    weigh_keys(s, head, from, count, size, ask_each);
  };
  const auto add = [&](int64_t head, const auto* from) {
    add_values(from, count, size, h.kv_stride, s.p + head * kKeyBlock, s.shrink[head], s.out + head * kMaxHeadSize);
  };
  const auto nothing = [](int64_t) {};
  if constexpr (sizeof(T) < sizeof(float)) {
    if (heads > 1) {  // Widened once for all.
      for (int64_t d = 0; d < size; ++d) {
        ask(d);
        for (int64_t j = 0; j < kKeyBlock; j += kWidth) {
          store(s.widened + d * kKeyBlock + j, widen(keys + d * kKeyBlock + j));
        }
      }
      for (int64_t i = 0; i < heads; ++i) weigh(i, s.widened, nothing);
      for_each_vector(count * size, [&](int64_t j, int64_t n) { store_any(s.widened + j, widen(values + j, n), n); });
      for (int64_t i = 0; i < heads; ++i) add(i, s.widened);
      return;
    }
  }
  weigh(0, keys, ask);
  for (int64_t i = 1; i < heads; ++i) weigh(i, keys, nothing);
  for (int64_t i = 0; i < heads; ++i) add(i, values);
}

template <class T>
void attend(const AttentionHead& h, int64_t heads) {
  Scratch s;
  for (int64_t i = 0; i < heads; ++i) {
    pack_rows(1, h.head_size, h.q + i * h.head_size, h.stride, score_scale(h), s.q + i * kMaxHeadSize);
    for (int64_t d = 0; d < whole_vectors(h.head_size); ++d) s.out[i * kMaxHeadSize + d] = 0;
    s.most[i] = kLowest;
    s.total[i] = 0;
  }
  for (int64_t key = 0; key < h.tokens; key += kKeyBlock) add_block<T>(h, heads, key, s);
  for (int64_t i = 0; i < heads; ++i) {
    const Vf factor = splat(1 / s.total[i]);
    float* out = h.out + i * h.head_size;
    for_each_vector(h.head_size,
                    [&](int64_t d, int64_t n) { store_any(out + d, load(s.out + i * kMaxHeadSize + d) * factor, n); });
  }
}

void attention_token(const AttentionHead& h, int64_t heads) {
  if (h.k16 != nullptr) return attend<Half>(h, heads);
  attend<float>(h, heads);
}

}  // namespace

void fill_attention_token(Kernels& table) { table.attention_token = attention_token; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
