#pragma once

#include <tinyllm/ops/elementwise.h>
#include <tinyllm/tensor/graph.h>

#include <vector>

namespace tinyllm {

/// The frequencies of rotary position embeddings, in radians for each position: base^(-2i/D) for i < D/2.
/// Throws Error unless D, the head size, is even.
std::vector<double> rope_frequencies(int64_t head_size, double base);
/// Cosines and sines of positions, for `rope`: positions i32 [B, T] and D/2 frequencies -> [B, T, D], whose first D/2
/// elements are scale * cos(position * frequency) and whose others are the sines. Not differentiable.
Tensor rope_angles(Tensor positions, std::vector<double> frequencies, double scale = 1);
/// Rotates pairs (x[i], x[i + D/2]) of every head by its position's angle. x [B, T, H, D], angles [B, T, D].
/// Source: Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", 2021; half-split as in Llama.
Tensor rope(Tensor x, Tensor angles);

/// Causal attention, fused: out = softmax(q k^T / sqrt(D)) v, where the softmax is over the keys that a query sees. The
/// [T, T] matrix is never stored. q [B, T, H, D], k and v [B, T, G, D] with H a multiple of G (H / G query heads share
/// a key head); out [B, T, H, D]. Query t sees keys starts[b, t] to t, or 0 to t if `starts` (i32 [B, T]) is empty:
/// packed documents do not see each other. With a `window` above 0 it sees at most that many keys, including its own.
/// NaN and infinity spread only to tokens that see them, forward and backward. `dropout` drops attention weights. The
/// weight of key j for query t of head h has the index ((b H + h) T + j) T' + t, where T' is T rounded up to a multiple
/// of 64. Source: Dao et al., "FlashAttention", 2022.
Tensor attention(Tensor q, Tensor k, Tensor v, Tensor starts = {}, const Dropout& dropout = {}, int64_t window = 0);

struct FullAttention {
  Tensor lengths = {};  ///< i32 [B]: sequence b has keys 0 to lengths[b] - 1. Empty: all have all S.
  Tensor bias = {};     ///< f32, broadcast to [B, H, T, S] and added to the scores: minus infinity hides a key.
};
/// Attention of every query to every key: out = softmax(q k^T / sqrt(D) + bias) v. q [B, T, H, D], k and v [B, S, G, D]
/// with H a multiple of G; out [B, T, H, D]. It is made of matmul and softmax, and holds the scores [B, H, T, S] in
/// memory. Keys beyond a length have no effect, NaN included; without any key the result is 0. A query whose keys are
/// all hidden by the bias gives NaN, unless a length hides one too.
Tensor full_attention(Tensor q, Tensor k, Tensor v, const FullAttention& options = {});

/// A cache of keys and values in pages of kCachePage tokens, so that sequences can share a common beginning; and the
/// position of each row of a pass in it. N pages, S sequences of up to M pages.
inline constexpr int64_t kCachePage = 64;
struct AttentionCache {
  /// States [N, G, D, kCachePage] and [N, G, kCachePage, D], both f32 or both f16: a page of one key head is
  /// contiguous.
  Tensor k, v;
  Tensor sequences;  ///< i32 [B, T]: for each row, its sequence, an index into `pages`. Below 0: the row is padding.
  Tensor positions;  ///< i32 [B, T]: for each row, its position in its sequence.
  Tensor pages;      ///< i32 [S, M]: the pages that hold a sequence, in order.
};
/// The cache type that attention reads fastest on this CPU: f16 if it has instructions to widen halves (AVX2, AVX-512),
/// else f32.
DType fastest_cache_type();
/// Attention of new tokens over a cache: each row of k and v [B, T, G, D] is stored at its position, rounded if the
/// cache is f16. Then each query of q [B, T, H, D] sees positions 0 to its own, or with a `window` above 0 at most that
/// many. The result is [B, T, H, D], zeros for padding. Fastest if neighbours in a sequence are neighbouring rows.
/// Running throws Error for a position outside its sequence or a page outside the cache. Not differentiable. Source:
/// Kwon et al., "Efficient Memory Management for Large Language Model Serving with PagedAttention", 2023.
Tensor cached_attention(Tensor q, Tensor k, Tensor v, const AttentionCache& cache, int64_t window = 0);

}  // namespace tinyllm
