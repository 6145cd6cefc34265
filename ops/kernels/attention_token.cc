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
  alignas(64) float p[kKeyBlock];
  float most[kMaxShared], total[kMaxShared];
};

// The weights of `count` keys of a transposed block for one head, and what earlier sums are multiplied with. For the
// first head, asks the caches for what follows as it goes: this block's values and the next one's keys.
float weigh_keys(Scratch& s, int64_t head, const float* keys, int64_t count, int64_t size, const float* values,
                 const float* next) {
  Vf scores[kKeyVectors] = {};
  const float* q = s.q + head * kMaxHeadSize;
  for (int64_t d = 0; d < size; ++d) {
    for (int64_t j = 0; j < (head == 0 ? kKeyBlock : 0); j += 16) {
      __builtin_prefetch(values + d * kKeyBlock + j);
      __builtin_prefetch(next + d * kKeyBlock + j);
    }
    const Vf x = splat(q[d]);
#pragma GCC unroll 16
    for (int64_t j = 0; j < kKeyVectors; ++j) scores[j] = fma(load(keys + d * kKeyBlock + j * kWidth), x, scores[j]);
  }
#pragma GCC unroll 16
  for (int64_t j = 0; j < kKeyVectors; ++j) store(s.p + j * kWidth, scores[j]);
  for (int64_t j = count; j < whole_vectors(count); ++j) s.p[j] = kLowest;

  const float before = s.most[head];
  Vf most = splat(before);
  for (int64_t j = 0; j < count; j += kWidth) most = greater(load(s.p + j), most);
  const float now = greatest(most);
  for (int64_t j = 0; j < count; j += kWidth) store(s.p + j, bounded_exp(load(s.p + j) - splat(now)));
  float total = 0;
  for (int64_t j = 0; j < count; ++j) total += s.p[j];
  const float shrink = bounded_exp(splat(before - now))[0];
  s.most[head] = now;
  s.total[head] = s.total[head] * shrink + total;
  return shrink;
}

// out = out shrink + p values. Rows are read once, as many vectors of them as a tile has.
void add_values(const float* values, int64_t count, int64_t size, int64_t stride, const float* p, float shrink,
                float* out) {
  const auto put = [&](int64_t d, Vf sums) { store(out + d, fma(load(out + d), splat(shrink), sums)); };
  const int64_t whole = size / kWidth * kWidth;
  multiply_strip(1, whole, count, {p, 0, 1}, values, stride,
                 [&](int64_t, int64_t d, Vf sums, int64_t) { put(d, sums); });
  if (whole == size) return;
  Vf sums = {};
  for (int64_t j = 0; j < count; ++j) sums = fma(splat(p[j]), load(values + j * stride + whole, size - whole), sums);
  put(whole, sums);
}

void attention_token(const AttentionHead& h, int64_t heads) {
  Scratch s;
  for (int64_t i = 0; i < heads; ++i) {
    pack_rows(1, h.head_size, h.q + i * h.head_size, h.stride, score_scale(h), s.q + i * kMaxHeadSize);
    for (int64_t d = 0; d < whole_vectors(h.head_size); ++d) s.out[i * kMaxHeadSize + d] = 0;
    s.most[i] = kLowest;
    s.total[i] = 0;
  }
  for (int64_t key = 0; key < h.tokens; key += kKeyBlock) {
    const int64_t count = least(kKeyBlock, h.tokens - key);
    const int64_t at = block_offset(h, key);
    const int64_t next = key + kKeyBlock < h.tokens ? block_offset(h, key + kKeyBlock) : at;
    const float* values = h.v + at;
    for (int64_t i = 0; i < heads; ++i) {
      const float shrink = weigh_keys(s, i, h.k + at, count, h.head_size, values, h.k + next);
      add_values(values, count, h.head_size, h.kv_stride, s.p, shrink, s.out + i * kMaxHeadSize);
    }
  }
  for (int64_t i = 0; i < heads; ++i) {
    const Vf factor = splat(1 / s.total[i]);
    float* out = h.out + i * h.head_size;
    for_each_vector(h.head_size,
                    [&](int64_t d, int64_t n) { store_any(out + d, load(s.out + i * kMaxHeadSize + d) * factor, n); });
  }
}

}  // namespace

void fill_attention_token(Kernels& table) { table.attention_token = attention_token; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
