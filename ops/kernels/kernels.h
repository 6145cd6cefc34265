#pragma once

#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

/// The inner loops of the ops: plain functions over a range, single-threaded, without allocation. Each is written once
/// over the vector type of simd.h and compiled once for each instruction set; `kernels()` is the table of the set that
/// suits this CPU. The op, not the kernel, splits work over threads.
namespace tinyllm {

/// Instruction sets that kernels are compiled for, weakest first. `amx` is AVX-512 with AMX for products in bfloat16.
enum class Isa : uint8_t { baseline, avx2, avx512, amx };
constexpr auto names(Isa) { return std::array{"baseline", "avx2", "avx512", "amx"}; }

/// The best set that this CPU and this build have, or the one that the environment variable TINYLLM_ISA names
/// (baseline, avx2, avx512, amx). Throws Error if the variable names anything else, or a set that this CPU lacks.
Isa kernel_isa();
bool is_supported(Isa isa);
/// Whether the kernels of `kernel_isa()` have matrix products in this precision.
bool is_supported(Precision precision);
/// The precision in which those kernels multiply matrices fastest: bf16 with AMX, or with AVX512-BF16 on a CPU from
/// AMD; otherwise fp32. On an Intel Xeon (Granite Rapids) AVX512-BF16 without AMX is half as fast as fp32.
Precision fastest_precision();
/// What the CPU has and which kernels run: `avx2 kernels (cpu: avx2 fma)`.
std::string cpu_features();

namespace kernels {

/// Which elements a dropout keeps; see random.h for the definition.
struct DropoutMask {
  uint32_t key[2] = {0, 0};
  uint32_t op = 0;
  uint32_t step = 0;
  uint32_t threshold = 0;  ///< p 2^32, a multiple of 2^16. 0: everything is kept, and the mask is not computed.
  float scale = 1;         ///< 1 / (1 - p).
};
/// Random numbers are drawn for this many elements at once, so a kernel's range of a mask begins at a multiple of it.
inline constexpr int64_t kMaskGroup = 64;

/// Numbers in a block of a quantised row, which share a scale, and rows of a packed matrix that lie side by side.
inline constexpr int64_t kQuantBlock = 32;
inline constexpr int64_t kQuantPanel = 32;

/// One head of causal attention. Rows of q, k, v, out and their gradients are `stride` (q, out) or `kv_stride` elements
/// apart.
struct AttentionHead {
  const float *q, *k, *v;
  const Half *k16, *v16;  ///< If not null, instead of k and v; paged. Forward only.
  const int32_t* pages;   ///< If not null, K and V are paged: block j starts at k + pages[j] page_stride, and so for v.
                          ///< Within a page keys are stored transposed, [head_size, kKeyBlock].
  const int32_t* starts;  ///< The first key that each query from `first_query` on sees. If null, it is key 0.
  float* out;             ///< Forward: written. Backward: read.
  float* lse;             ///< Of each query, log(sum(exp(score))). Forward: written unless null. Backward: read.
  const float* dout;
  float *dq, *dk, *dv;  ///< dq is written, dk and dv are added to.
  int64_t tokens, head_size, stride, kv_stride, page_stride;
  int64_t first_query;  ///< The token that row 0 of q, out and lse belongs to; 0 except with a cache.
  DropoutMask mask;
  int64_t mask_row;  ///< The mask's row for key 0; a row is `tokens` queries, rounded up to whole kMaskGroups.
};
/// Queries in one call of `attention`. With a mask they begin at a multiple of it.
inline constexpr int64_t kQueryBlock = 64;
/// Keys that a block of queries meets at once.
inline constexpr int64_t kKeyBlock = 64;
/// Heads in one call of `attention_token`.
inline constexpr int64_t kMaxShared = 16;
/// Every fp32 kernel sums along k in blocks of this many terms, in order. All kernels therefore give bit-identical
/// results.
inline constexpr int64_t kSumDepth = 512;
/// Rows in one call of `few_rows`.
inline constexpr int64_t kFewRows = 8;
inline constexpr int64_t kFewRowsAcross = 2;
/// Scratch for a block of keys is on the stack.
inline constexpr int64_t kMaxHeadSize = 256;

struct AdamWStep {
  float rate, factor, beta1, beta2, eps, decay;
  float correction1, correction2;  ///< 1 - beta^t.
};

/// Packs lanes into panels. A lane is a row of A or a column of B. A panel is a sequence of 4-byte units along k, each
/// step of which has one unit for every lane. Missing lanes are zero.
struct Packing {
  int64_t lanes, lanes_per_panel, k;
  const float* from;
  int64_t stride;
  bool along_k;   ///< `from` is [lanes, k], with `stride` floats from one lane to the next. Otherwise it is [k, lanes].
  int64_t panel;  ///< Units from one panel to the next.
  float* to;
};

/// C[m, n] (+)= A B. A is not packed yet: the kernel packs it into `a_panels`. B is packed: panels of `nr` columns,
/// `panel` units apart, with `b_stride` = nr units from one row of a panel to the next. In fp32 a B [k, n] of whole
/// panels may also be read in place: then `panel` is nr and `b_stride` is the distance between rows of B.
struct GemmBlock {
  int64_t m, n, k;
  const float* a;
  int64_t a_stride;
  bool a_along_k;  ///< `a` is [m, k]. Otherwise it is [k, m].
  const float* b;
  int64_t panel, b_stride;
  float* c;
  int64_t c_stride;
  bool c_transposed;  ///< `c` is [n, m].
  bool accumulate;
  float* a_panels;  ///< Scratch memory: `a_panel` floats for each `mr` rows of A.
};

/// y[m, n] (+)= x W for a few contiguous rows x, with W read in place: at most kFewRows rows, or kFewRowsAcross if W is
/// [k, n].
struct FewRows {
  int64_t m, n, k;
  const float* x;
  const float* w;
  int64_t w_stride;
  bool w_along_k;  ///< w is [n, k]; else [k, n].
  float* y;
  int64_t y_stride;
  bool accumulate;
};

/// Matrix products in one precision.
struct Products {
  int64_t mr = 0;        ///< Rows of a tile of C, and of a panel of A.
  int64_t nr = 0;        ///< Columns of a tile of C, and of a panel of B.
  int64_t per_unit = 1;  ///< Numbers in a unit, the 4 bytes that a panel holds for each lane and step.
  int64_t a_panel = 0;   ///< Floats of a panel of A.
  /// Packs columns of B.
  void (*pack)(const Packing& packing) = nullptr;
  void (*multiply)(const GemmBlock& block) = nullptr;
};

/// kQuantBlock numbers x in INT8: x = scale q.
struct QuantizedNumbers {
  int8_t q[kQuantBlock];
  float scale;
  int32_t start;  ///< -offset sum(q). It cancels the offset that was added to the weights.
};

/// Rows of numbers in INT8 against a panel of quantised weights (ops/quantized.h): y[i, j] = sum over blocks of
/// x[i, block].scale d[j, block] (x[i, block].start + sum_k x[i, block].q[k] u[j, k]), blocks in their order, where u
/// is a weight plus the offset. The result of a row does not depend on the other rows.
struct QuantizedBlock {
  int64_t rows, columns, blocks;  ///< At most kQuantPanel columns.
  const QuantizedNumbers* x;
  int64_t x_stride;  ///< Blocks from one row to the next.
  const std::byte* panel;
  const float* bias;  ///< [columns], added to the sum, or null.
  float* y;
  int64_t y_stride;
};

/// Rows of floats against a panel of weights in bfloat16 (ops/quantized.h): y[i, j] = sum_k x[i, k] w[j, k], along k.
/// The result of a row does not depend on the other rows.
struct Bf16Block {
  int64_t rows, columns, k;  ///< At most kQuantPanel columns.
  const float* x;
  int64_t x_stride;
  const std::byte* panel;
  const float* bias;  ///< [columns], added to the sum, or null.
  float* y;
  int64_t y_stride;
};

/// Products with weights of one quantised type.
struct QuantizedProducts {
  int32_t offset;  ///< The number that `multiply` expects to have been added to every weight.
  void (*multiply)(const QuantizedBlock& block);
};

struct Kernels {
  // gemm.cc
  Products fp32;
  Products bf16;  ///< Inputs are rounded to bfloat16, sums are float. `multiply` is null if the CPU lacks bfloat16.

  // few_rows.cc
  void (*few_rows)(const FewRows& product);

  // quantized.cc
  QuantizedProducts q8_0, q4_0;
  /// Blocks of numbers to INT8: scale = max |x| / 127, q = x (127 / max |x|) to the nearest whole number, the even one
  /// of two as near; start = -offset sum(q).
  void (*quantize)(int64_t blocks, int32_t offset, const float* x, QuantizedNumbers* to);

  // convert.cc. Rounds to the nearest, the even one of two as near; what is too large becomes infinity.
  void (*from_f16)(int64_t n, const Half* x, float* y);
  void (*from_bf16)(int64_t n, const BFloat16* x, float* y);
  void (*to_f16)(int64_t n, const float* x, Half* y);
  void (*to_bf16)(int64_t n, const float* x, BFloat16* y);

  // bf16_weights.cc
  void (*bf16_weights)(const Bf16Block& block);

  // elementwise.cc. The result may overwrite an argument.
  void (*add)(int64_t n, const float* x, const float* y, float* out);
  void (*mul)(int64_t n, const float* x, const float* y, float* out);
  void (*scale)(int64_t n, float factor, const float* x, float* out);
  void (*silu)(int64_t n, const float* x, float* y);
  void (*silu_grad)(int64_t n, const float* x, const float* dy, float* dx);
  void (*gelu)(int64_t n, const float* x, float* y);
  void (*gelu_grad)(int64_t n, const float* x, const float* dy, float* dx);
  /// out = x * mask, for the elements from number `first` on, which is a multiple of kMaskGroup.
  void (*dropout)(int64_t n, int64_t first, const DropoutMask& mask, const float* x, float* out);

  // rows.cc. `rows` rows of `c` elements.
  void (*rms_norm)(int64_t rows, int64_t c, const float* x, const float* w, float eps, float* y, float* inverse_rms);
  /// dx is written, dw is added to.
  void (*rms_norm_grad)(int64_t rows, int64_t c, const float* x, const float* w, const float* inverse_rms,
                        const float* dy, float* dx, float* dw);
  void (*softmax)(int64_t rows, int64_t c, const float* x, float* y);
  void (*softmax_grad)(int64_t rows, int64_t c, const float* y, const float* dy, float* dx);
  /// Rotates `heads` heads of size `d` of one token by the token's angles, or back if `inverse`.
  void (*rope)(int64_t heads, int64_t d, const float* angles, bool inverse, const float* x, float* y);
  /// log(sum(exp(x))) of one row.
  float (*log_sum_exp)(int64_t c, const float* x);
  /// y = exp(x - shift) * factor.
  void (*exp_scaled)(int64_t c, const float* x, float shift, float factor, float* y);

  // attention.cc
  /// Queries [from, to) of a head, at most kQueryBlock.
  void (*attention)(const AttentionHead& head, int64_t from, int64_t to);
  // attention_token.cc
  /// The one query of `heads` heads, side by side in q and out, which share k and v: at most kMaxShared. It is the last
  /// token, sees all, nothing is dropped, and k and v lie in pages.
  void (*attention_token)(const AttentionHead& head, int64_t heads);
  // attention_grad.cc
  void (*attention_grad)(const AttentionHead& head);

  // update.cc
  /// total = keep * total + factor * x.
  void (*blend)(int64_t n, float factor, const float* x, float keep, float* total);
  void (*adamw)(int64_t n, const AdamWStep& step, const float* grad, float* param, float* m, float* v);
  double (*sum_of_squares)(int64_t n, const float* x);
  double (*sum)(int64_t n, const float* x);

  // peak.cc
  /// Runs multiply-adds on registers only, `rounds` times, and returns the number of operations.
  double (*multiply_add)(int64_t rounds);
  /// The same for dot products of BF16 (vdpbf16ps, or tdpbf16ps with AMX) and of INT8 (vpdpbusd). Null if the CPU lacks
  /// the instruction.
  double (*dot_bf16)(int64_t rounds);
  double (*dot_int8)(int64_t rounds);
  /// Reads x and drops it. n is a multiple of 128.
  void (*read)(int64_t n, const float* x);
};

/// The table of `kernel_isa()`.
const Kernels& kernels();
/// The table of one instruction set. Throws Error when this CPU or this build lacks it.
const Kernels& kernels(Isa isa);

}  // namespace kernels
}  // namespace tinyllm
