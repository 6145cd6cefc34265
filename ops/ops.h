#pragma once

#include <tinyllm/ops/detail/gemm.h>
#include <tinyllm/tensor/graph.h>

/// All operations that a graph can be built from. Each function checks shapes and types, appends one node (or a few)
/// and returns its result. It throws Error with the names and shapes involved. `...` stands for any leading extents.
/// One file `ops/<name>.cc` per operation holds its shape rule, its kernel call and its gradient. Products of matrices
/// (linear, matmul, linear_cross_entropy, token_log_probs) are computed in the precision passed to `compile`,
/// everything else in float.
namespace tinyllm {

// ---- Matrix products ------------------------------------------------------------------------------------------------

/// y[..., n] = act(sum_k x[..., k] w[n, k] + bias[n]). x [..., K], w [N, K], bias [N] or empty; y [..., N].
/// The gradient of a fused activation computes the product again, so use a separate op for the activation in training.
///
/// w is f32 or a packed matrix (ops/quantized.h); `input` then says how products are computed. A row's result does not
/// depend on the other rows. A packed w has no gradient. That of x is dy w, with w unpacked to floats.
enum class PackedInput : uint8_t {
  /// For answers. With packed_bf16, x and sums are float. With q8_0 and q4_0, x is quantised too: each block of 32
  /// numbers becomes q = round(x 127 / max |x|) in INT8 with the scale max |x| / 127, and is multiplied in whole
  /// numbers: y[..., n] = sum over blocks of scale_x scale_w sum_k q_x q_w, blocks in order.
  /// Source: Dettmers et al., "LLM.int8()", 2022, by blocks instead of rows.
  quantized,
  /// For training: w is unpacked to floats, a few rows at a time. The result is bit-identical to that of an f32 w.
  exact,
};
Tensor linear(Tensor x, Tensor w, Tensor bias = {}, Activation activation = Activation::none,
              PackedInput input = PackedInput::quantized);

/// c = op(a) op(b), where op transposes the last two axes if its flag is set. a [..., M, K], b [..., K, N] with the
/// same leading extents; c [..., M, N]. b may be a packed matrix (ops/quantized.h); it is read as floats and has no
/// gradient.
struct MatmulOptions {
  bool trans_a = false;  ///< a is [..., K, M].
  bool trans_b = false;  ///< b is [..., N, K].
};
Tensor matmul(Tensor a, Tensor b, MatmulOptions options = {});

// ---- Element by element ---------------------------------------------------------------------------------------------

/// x + y. y has x's shape, or is one row of it (its shape is the tail of x's), or a single element [1].
Tensor add(Tensor x, Tensor y);
/// x * y, with y as in `add`.
Tensor mul(Tensor x, Tensor y);
/// factor * x.
Tensor scale(Tensor x, float factor);
/// The elements that a dropout keeps are a pure function of (seed, step, position of the op in its graph, index of the
/// element). kernels/random.h defines it.
struct Dropout {
  float p = 0;  ///< Probability of a zero, in [0, 1); rounded to a multiple of 2^-16.
  uint64_t seed = 0;
  Tensor step = {};  ///< i32 [1]. Empty: no dropout.
};
/// x * mask / (1 - p), where mask is 0 with probability p, else 1. Returns x itself when there is nothing to drop.
Tensor dropout(Tensor x, const Dropout& options);
/// dropout(x / (1 + exp(-x))). Source: Elfwing, Uchibe, Doya, "Sigmoid-Weighted Linear Units", 2017.
Tensor silu(Tensor x, const Dropout& dropout = {});
/// dropout(x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))).
/// Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
Tensor gelu(Tensor x, const Dropout& dropout = {});
/// silu(g) * u of the two halves of the innermost axis: x = (g, u) [..., 2 F] -> [..., F].
/// Source: Shazeer, "GLU Variants Improve Transformer", 2020.
Tensor swiglu(Tensor x);

// ---- Rows -----------------------------------------------------------------------------------------------------------

/// y = x / sqrt(mean(x^2) + eps) * w over the innermost axis. x [..., C], w [C].
/// Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019.
Tensor rms_norm(Tensor x, Tensor w, float eps);
/// exp(x - max x) / sum(exp(x - max x)) over the innermost axis. Minus infinity gives 0. A row with NaN or plus
/// infinity, or with only minus infinity, gives NaN.
Tensor softmax(Tensor x);

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

// ---- Tokens ---------------------------------------------------------------------------------------------------------

/// Rows of a table: table [V, C], f32 or packed, tokens i32 [...] -> [..., C]. Running throws Error on a token outside
/// [0, V). A packed table has no gradient.
Tensor embedding(Tensor table, Tensor tokens);

/// Targets of this value carry no loss.
inline constexpr int32_t kIgnore = -100;
/// Mean of log(sum(exp(logits))) - logits[target] over the targets that are not kIgnore; 0 when there are none.
/// logits [..., V], targets i32 [...]; result [1]. Running throws Error on a target outside [0, V).
Tensor cross_entropy(Tensor logits, Tensor targets);
/// cross_entropy(linear(x, w), targets) over chunks of rows: the logits [..., V] are never in memory as a whole, and
/// the gradients come from the same pass. x [..., C], w [V, C], targets i32 [...]; result [1]. w may be a packed matrix
/// (ops/quantized.h); it is read as floats and has no gradient. Source: Wijmans et al., "Cut Your Losses in
/// Large-Vocabulary Language Models", 2024; gradients in the forward pass as in Hsu et al., "Liger Kernel", 2024.
/// `z_loss` times log(sum(exp(logits)))^2 is added to each target's loss, which keeps that sum near 1, so that logits
/// do not drift. Source: Chowdhery et al., "PaLM", 2022, which uses 1e-4.
Tensor linear_cross_entropy(Tensor x, Tensor w, Tensor targets, float z_loss = 0);
/// logits[target] - log(sum(exp(logits))), logits = linear(x, w), of each target; 0 if it is kIgnore. The logits [...,
/// V] are never in memory as a whole, and the gradient computes them again. x [..., C], w [V, C] as in
/// linear_cross_entropy, targets i32 [...]; result [...]. Running throws Error on a target outside [0, V).
Tensor token_log_probs(Tensor x, Tensor w, Tensor targets);

// ---- Shape ----------------------------------------------------------------------------------------------------------

/// The same elements with other extents. One extent may be -1; it is then computed. Nothing is copied.
Tensor reshape(Tensor x, std::vector<int64_t> extents);
/// Axis i of the result is axis order[i] of x.
Tensor permute(Tensor x, std::vector<int> order);
/// Elements [from, to) of an axis.
Tensor slice(Tensor x, int axis, int64_t from, int64_t to);
/// Tensors joined along an axis. The other extents must agree.
Tensor concat(const std::vector<Tensor>& parts, int axis);
/// The inverse of `concat`: parts of the given extents along an axis, which add up to the axis.
std::vector<Tensor> split(Tensor x, int axis, const std::vector<int64_t>& extents);

// ---- Reductions -----------------------------------------------------------------------------------------------------

/// Sum over all elements: [1].
Tensor sum(Tensor x);
/// Sum over one axis, which disappears.
Tensor sum(Tensor x, int axis);
/// sum / number of elements summed.
Tensor mean(Tensor x);
Tensor mean(Tensor x, int axis);

// ---- Optimiser ------------------------------------------------------------------------------------------------------

/// total = keep * total + factor * x, in place: sums gradients of the parts of a batch, or keeps a moving average.
/// total (a state) and x of one shape, factor [1]. Returns the total; pass it to `compile` as an output. Not
/// differentiable.
Tensor accumulate(Tensor total, Tensor x, Tensor factor, float keep = 1);

/// norm = sqrt(sum of all squares of all gradients), and factor = min(1, max_norm / (norm + 1e-6)), both [1]; factor is
/// 0 if the norm is not finite. Multiplying the gradients by `factor` clips them to `max_norm`. adamw and muon do this,
/// and change nothing if it is 0. The sum is in double. Source: Pascanu, Mikolov, Bengio, "On the difficulty of
/// training recurrent neural networks", 2013.
struct ClippedNorm {
  Tensor norm;
  Tensor factor;
};
ClippedNorm clip_by_global_norm(const std::vector<Tensor>& grads, float max_norm);

struct AdamW {
  float beta1 = 0.9f;
  float beta2 = 0.999f;
  float eps = 1e-8f;
  float decay = 0.01f;
};
/// One step in place, with g = factor * grad and t = step counted from 1:
///   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
///   param -= rate * decay * param;  param -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)
/// param, grad, m, v of one shape (m and v are states); step i32 [1]; rate and factor f32 [1]. Returns the updated
/// parameter; pass it to `compile` as an output. Source: Loshchilov and Hutter, "Decoupled Weight Decay
/// Regularization", 2019.
Tensor adamw(Tensor param, Tensor grad, Tensor m, Tensor v, Tensor step, Tensor rate, Tensor factor,
             const AdamW& options);

struct Muon {
  float momentum = 0.95f;
  float decay = 0.1f;
  int64_t parts = 1;  ///< Matrices that are stacked in `param`. Each is made orthogonal separately.
};
/// One step in place for a matrix [N, K], with g = factor * grad and b = momentum:
///   m = b m + (1 - b) g;  u = b m + (1 - b) g;  o = u made nearly orthogonal (its singular values nearly 1)
///   param -= rate * decay * param;  param -= rate * 0.2 sqrt(max(N / parts, K)) o
/// The last factor gives steps the size of AdamW's, so that both can share a rate and a decay. param, grad and
/// momentum (a state) of one shape; rate and factor f32 [1]. Products are in the precision passed to `compile`. Returns
/// the updated parameter; pass it to `compile` as an output. Sources: Jordan et al., "Muon: An optimizer for hidden
/// layers in neural networks", 2024; the step's size from Liu et al., "Muon is Scalable for LLM Training", 2025.
Tensor muon(Tensor param, Tensor grad, Tensor momentum, Tensor rate, Tensor factor, const Muon& options);

}  // namespace tinyllm
