#pragma once

#include <tinyllm/ops/detail/gemm.h>
#include <tinyllm/tensor/graph.h>

namespace tinyllm {

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

/// c = op(a) op(b), where op transposes the last two axes if its flag is set. a [..., M, K], b [..., K, N];
/// c [..., M, N]. Leading extents are broadcast: seen from the last, they are equal, or one is 1 or missing. b may be a
/// packed matrix (ops/quantized.h); it is read as floats and has no gradient.
struct MatmulOptions {
  bool trans_a = false;  ///< a is [..., K, M].
  bool trans_b = false;  ///< b is [..., N, K].
};
Tensor matmul(Tensor a, Tensor b, MatmulOptions options = {});

}  // namespace tinyllm
