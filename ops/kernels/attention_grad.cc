#include <tinyllm/ops/kernels/attention.h>

// The gradient of causal attention of one head. With s the scores, p = exp(s - lse) the weights, m the dropout's mask,
// dp = m (dout v^T) and delta = sum_d dout out = sum_j p dp:
//
//   dv = (p m)^T dout,  ds = p (dp - delta),  dq = ds k / sqrt(D),  dk = ds^T q / sqrt(D)
//
// The weights are computed again from the scores. Source: Dao et al., "FlashAttention", 2022, algorithm 4.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

// What belongs to a block of queries, and then to the block of keys that it meets.
struct Scratch {
  alignas(64) float q[kQueryBlock * kMaxHeadSize];  // Scaled by 1 / sqrt(D).
  alignas(64) float q_columns[kMaxHeadSize * kQueryBlock];
  alignas(64) float dout[kQueryBlock * kMaxHeadSize];  // Scaled by the dropout's scale: masks are then 0 and 1.
  alignas(64) float dout_columns[kMaxHeadSize * kQueryBlock];
  alignas(64) float dq[kQueryBlock * kMaxHeadSize];
  alignas(64) float lse[kQueryBlock];
  alignas(64) float delta[kQueryBlock];
  alignas(64) float keys[kKeyBlock * kMaxHeadSize];
  alignas(64) float p[kKeyBlock * kQueryBlock];
  alignas(64) float ds[kKeyBlock * kQueryBlock];
  alignas(64) uint32_t words[kKeyBlock * kGroupWords];
};

void load_queries(const AttentionHead& h, int64_t query, int64_t queries, Scratch& s) {
  const float* dout = h.dout + query * h.stride;
  const float* out = h.out + query * h.stride;
  pack_rows(queries, h.head_size, h.q + query * h.stride, h.stride, score_scale(h), s.q);
  pack_rows(queries, h.head_size, dout, h.stride, h.mask.scale, s.dout);
  transpose_rows(queries, h.head_size, s.q, s.q_columns);
  transpose_rows(queries, h.head_size, s.dout, s.dout_columns);
  for (int64_t i = 0; i < queries * whole_vectors(h.head_size); ++i) s.dq[i] = 0;
  for (int64_t i = 0; i < kQueryBlock; ++i) {
    s.lse[i] = 0;
    s.delta[i] = 0;
  }
  for (int64_t i = 0; i < queries; ++i) {
    Vf sums = {};
    for_each_vector(h.head_size, [&](int64_t d, int64_t n) {
      sums += load_any(dout + i * h.stride + d, n) * load_any(out + i * h.stride + d, n);
    });
    s.lse[i] = h.lse[query + i];
    s.delta[i] = sum(sums);
  }
}

// Of the vector of queries at `first`: turns scores into dropped weights, and the gradient of these in `ds` into that
// of the scores.
template <bool kMasked>
void score_gradient(const AttentionHead& h, const Tile& tile, int64_t first, Scratch& s) {
  const Seen seen(h, tile, first);
  const Vf lse = load(s.lse + first);
  const Vf delta = load(s.delta + first);
  for (int64_t j = 0; j < tile.end_key(first + kWidth - 1); ++j) {
    float* p_at = s.p + j * kQueryBlock + first;
    float* ds_at = s.ds + j * kQueryBlock + first;
    Vf p = bounded_exp(load(p_at) - lse);
    Vf dp = load(ds_at);
    if constexpr (kMasked) p = select(seen.at(j), p);
    Vf dropped = p;
    if (h.mask.threshold != 0) {
      const Vi keep = kept(h.mask, s.words + j * kGroupWords, first);
      dropped = select(keep, p);
      dp = select(keep, dp);
    }
    store(p_at, dropped);
    const Vf ds = p * (dp - delta);
    store(ds_at, kMasked ? select(seen.at(j), ds) : ds);
  }
}

// to[j, d] += sum_i weights[j, i] rows[i, d], over the queries that see key j.
void add_to_keys(const AttentionHead& h, const Tile& tile, Terms terms, const float* weights, const float* rows,
                 float* to, const Ahead<float>& ahead) {
  const int64_t ld = whole_vectors(h.head_size);
  for (int64_t j = 0; j < tile.keys; j += kStrip) {
    ahead.strip(j);
    const int64_t first = tile.first_query(j);
    multiply_strip(terms, least(kStrip, tile.keys - j), h.head_size, tile.queries - first,
                   {weights + j * kQueryBlock + first, kQueryBlock, 1}, rows + first * ld, ld,
                   [&](int64_t r, int64_t d, Vf sums, int64_t n) {
                     float* at = to + (j + r) * h.kv_stride + d;
                     store_any(at, load_any(at, n) + sums, n);
                   });
  }
}

void add_block(const AttentionHead& h, const Tile& tile, Scratch& s) {
  const int64_t ld = whole_vectors(h.head_size);
  const int64_t at = tile.key * h.kv_stride;
  pack_rows(tile.keys, h.head_size, h.k + at, h.kv_stride, 1, s.keys);
  const auto ahead = [&](const float* rows) { return Ahead{rows, tile.keys, h.head_size, h.kv_stride}; };
  transposed_scores(tile, h.head_size, {s.keys, ld, 1}, s.q_columns, s.p, ahead(h.v + at));
  transposed_scores(tile, h.head_size, {h.v + at, h.kv_stride, 1}, s.dout_columns, s.ds, ahead(h.dv + at));
  if (h.mask.threshold != 0) draw_tile(h, tile, s.words);
  const bool whole = all_seen(h, tile);
  // A query or a key that is not finite has no finite score, with whatever it is multiplied.
  const int64_t vectors = whole_vectors(tile.queries) / kWidth;
  const Terms of_dout = terms_of(whole || all_finite(s.ds, vectors, kWidth));
  const Terms of_queries = terms_of(whole || all_finite(s.p, vectors, kWidth));
  const Terms of_keys = terms_of(whole || all_finite(s.p + (vectors - 1) * kWidth, tile.keys, kQueryBlock));
  for (int64_t first = 0; first < tile.queries; first += kWidth) {
    if (whole) {
      score_gradient<false>(h, tile, first, s);
    } else {
      score_gradient<true>(h, tile, first, s);
    }
  }
  add_to_keys(h, tile, of_dout, s.p, s.dout, h.dv + at, ahead(h.dk + at));
  const int64_t next = tile.key + tile.keys;
  add_to_keys(h, tile, of_queries, s.ds, s.q, h.dk + at,
              {h.k + next * h.kv_stride, least(kKeyBlock, h.tokens - next), h.head_size, h.kv_stride});
  for (int64_t i = 0; i < tile.queries; i += kStrip) {
    const int64_t rows = least(kStrip, tile.queries - i);
    multiply_strip(of_keys, rows, ld, tile.end_key(i + rows - 1), {s.ds + i, 1, kQueryBlock}, s.keys, ld,
                   [&](int64_t r, int64_t d, Vf sums, int64_t) {
                     float* to = s.dq + (i + r) * ld + d;
                     store(to, load(to) + sums);
                   });
  }
}

void attention_grad(const AttentionHead& h) {
  Scratch s;
  const int64_t ld = whole_vectors(h.head_size);
  for (int64_t query = 0; query < h.tokens; query += kQueryBlock) {
    const int64_t queries = least(kQueryBlock, h.tokens - query);
    load_queries(h, query, queries, s);
    for (int64_t key = first_key(h, query, query + queries); key < query + queries; key += kKeyBlock) {
      add_block(h, {query, queries, key, least(kKeyBlock, h.tokens - key)}, s);
    }
    for (int64_t i = 0; i < queries; ++i) {
      float* dq = h.dq + (query + i) * h.stride;
      for_each_vector(h.head_size,
                      [&](int64_t d, int64_t n) { store_any(dq + d, load(s.dq + i * ld + d) * score_scale(h), n); });
    }
  }
}

}  // namespace

void fill_attention_grad(Kernels& table) { table.attention_grad = attention_grad; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
