#include <tinyllm/ops/kernels/attention.h>

// The backward pass of causal attention for one head. With s the scores, p = exp(s - lse) the weights, m the dropout
// mask, dp = m (dout v^T) and delta = sum_d dout out = sum_j p dp:
//
//   dv = (p m)^T dout,  ds = p (dp - delta),  dq = ds k / sqrt(D),  dk = ds^T q / sqrt(D)
//
// The weights are not stored but computed again. Source: Dao et al., "FlashAttention", 2022, algorithm 4.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

struct Scratch {
  // Of a block of queries.
  alignas(64) float q[kQueryBlock * kMaxHeadSize];  // Scaled by 1 / sqrt(D).
  alignas(64) float q_columns[kMaxHeadSize * kQueryBlock];
  alignas(64) float dout[kQueryBlock * kMaxHeadSize];  // Times the scale of the dropout, so that masks are 0 and 1.
  alignas(64) float dout_columns[kMaxHeadSize * kQueryBlock];
  alignas(64) float dq[kQueryBlock * kMaxHeadSize];
  alignas(64) float lse[kQueryBlock];
  alignas(64) float delta[kQueryBlock];
  // Of the current block of keys.
  alignas(64) float keys[kKeyBlock * kMaxHeadSize];
  alignas(64) float p[kKeyBlock * kQueryBlock];   // Scores, then weights.
  alignas(64) float ds[kKeyBlock * kQueryBlock];  // Gradients of weights, then of scores.
  alignas(64) uint32_t words[kKeyBlock * kGroupWords];
};

FirstKeys first_keys_of(const AttentionBackward& a) { return {a.starts, 0}; }

// Prepares a block of queries: packs q and dout, loads lse, computes delta, and sets dq to 0.
void load_queries(const AttentionBackward& a, int64_t query, int64_t queries, Scratch& s) {
  const float* dout = a.dout + query * a.stride;
  const float* out = a.out + query * a.stride;
  pack_rows(queries, a.head_size, a.q + query * a.stride, a.stride, score_scale(a.head_size), s.q);
  pack_rows(queries, a.head_size, dout, a.stride, a.dropout.mask.scale, s.dout);
  transpose_rows(queries, a.head_size, s.q, s.q_columns);
  transpose_rows(queries, a.head_size, s.dout, s.dout_columns);
  for (int64_t i = 0; i < queries * whole_vectors(a.head_size); ++i) s.dq[i] = 0;
  for (int64_t i = 0; i < kQueryBlock; ++i) {
    s.lse[i] = 0;
    s.delta[i] = 0;
  }
  for (int64_t i = 0; i < queries; ++i) {
    Vf sums = {};
    for_each_vector(a.head_size, [&](int64_t d, int64_t n) {
      sums += load_any(dout + i * a.stride + d, n) * load_any(out + i * a.stride + d, n);
    });
    s.lse[i] = a.lse[query + i];
    s.delta[i] = sum(sums);
  }
}

// For the vector of queries at `first`: turns the scores in `p` into weights after dropout, and the gradients of
// weights in `ds` into gradients of scores.
template <bool kMasked>
void score_gradient(const AttentionBackward& a, const Block& block, int64_t first, Scratch& s) {
  const SeenKeys seen(first_keys_of(a), block, first);
  const Vf lse = load(s.lse + first);
  const Vf delta = load(s.delta + first);
  for (int64_t j = 0; j < block.end_key(first + kWidth - 1); ++j) {
    float* p_at = s.p + j * kQueryBlock + first;
    float* ds_at = s.ds + j * kQueryBlock + first;
    Vf p = bounded_exp(load(p_at) - lse);
    Vf dp = load(ds_at);
    if constexpr (kMasked) p = select(seen.mask(j), p);
    Vf dropped = p;
    if (a.dropout.mask.threshold != 0) {
      const Vi keep = kept(a.dropout.mask, s.words + j * kGroupWords, first);
      dropped = select(keep, p);
      dp = select(keep, dp);
    }
    store(p_at, dropped);
    const Vf ds = p * (dp - delta);
    store(ds_at, kMasked ? select(seen.mask(j), ds) : ds);
  }
}

// to[j, d] += sum_i weights[j, i] rows[i, d], over the queries i that see key j.
void add_to_keys(const AttentionBackward& a, const Block& block, Terms terms, const float* weights, const float* rows,
                 float* to, const NextRows<float>& next) {
  const int64_t ld = whole_vectors(a.head_size);
  for (int64_t j = 0; j < block.keys; j += kTileRows) {
    next.prefetch(j);
    const int64_t first = block.first_query(j);
    multiply_rows(terms, least(kTileRows, block.keys - j), a.head_size, block.queries - first,
                  {weights + j * kQueryBlock + first, kQueryBlock, 1}, rows + first * ld, ld,
                  [&](int64_t r, int64_t d, Vf sums, int64_t n) {
                    float* at = to + (j + r) * a.kv_stride + d;
                    store_any(at, load_any(at, n) + sums, n);
                  });
  }
}

// Adds the gradients of a block to dq, dk and dv.
void add_block(const AttentionBackward& a, const Block& block, Scratch& s) {
  const int64_t ld = whole_vectors(a.head_size);
  const int64_t at = block.key * a.kv_stride;
  pack_rows(block.keys, a.head_size, a.k + at, a.kv_stride, 1, s.keys);
  const auto ahead = [&](const float* rows) { return NextRows{rows, block.keys, a.head_size, a.kv_stride}; };
  transposed_scores(block, a.head_size, {s.keys, ld, 1}, s.q_columns, s.p, ahead(a.v + at));
  transposed_scores(block, a.head_size, {a.v + at, a.kv_stride, 1}, s.dout_columns, s.ds, ahead(a.dv + at));
  if (a.dropout.mask.threshold != 0) draw_block(a.dropout, block, s.words);
  const bool whole = first_keys_of(a).hide_none(block);
  // The scores show whether the factors are finite, which is faster than looking at the factors: a query or a key that
  // is not finite has no finite score.
  const int64_t vectors = whole_vectors(block.queries) / kWidth;
  const Terms dout_terms = terms_of(whole || all_finite(s.ds, vectors, kWidth));
  const Terms query_terms = terms_of(whole || all_finite(s.p, vectors, kWidth));
  const Terms key_terms = terms_of(whole || all_finite(s.p + (vectors - 1) * kWidth, block.keys, kQueryBlock));
  for (int64_t first = 0; first < block.queries; first += kWidth) {
    if (whole) {
      score_gradient<false>(a, block, first, s);
    } else {
      score_gradient<true>(a, block, first, s);
    }
  }
  add_to_keys(a, block, dout_terms, s.p, s.dout, a.dv + at, ahead(a.dk + at));
  const int64_t next = block.key + block.keys;
  add_to_keys(a, block, query_terms, s.ds, s.q, a.dk + at,
              {a.k + next * a.kv_stride, least(kKeyBlock, a.tokens - next), a.head_size, a.kv_stride});
  for (int64_t i = 0; i < block.queries; i += kTileRows) {
    const int64_t rows = least(kTileRows, block.queries - i);
    multiply_rows(key_terms, rows, ld, block.end_key(i + rows - 1), {s.ds + i, 1, kQueryBlock}, s.keys, ld,
                  [&](int64_t r, int64_t d, Vf sums, int64_t) {
                    float* to = s.dq + (i + r) * ld + d;
                    store(to, load(to) + sums);
                  });
  }
}

void attention_grad(const AttentionBackward& a) {
  Scratch s;
  const int64_t ld = whole_vectors(a.head_size);
  for (int64_t query = 0; query < a.tokens; query += kQueryBlock) {
    const int64_t queries = least(kQueryBlock, a.tokens - query);
    load_queries(a, query, queries, s);
    for (int64_t key = first_keys_of(a).first_block(query, query + queries); key < query + queries; key += kKeyBlock) {
      add_block(a, {query, queries, key, least(kKeyBlock, a.tokens - key)}, s);
    }
    for (int64_t i = 0; i < queries; ++i) {
      float* dq = a.dq + (query + i) * a.stride;
      for_each_vector(a.head_size, [&](int64_t d, int64_t n) {
        store_any(dq + d, load(s.dq + i * ld + d) * score_scale(a.head_size), n);
      });
    }
  }
}

}  // namespace

void fill_attention_grad(Kernels& table) { table.attention_grad = attention_grad; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
