#pragma once

#include <tinyllm/ops/kernels/elementwise.h>
#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

/// The inner loops of the ops: plain functions over a range, single-threaded, without allocation. Each is written once
/// with the vector type of simd.h, and compiled once per instruction set. `kernels()` is the table of the set that
/// suits this CPU. The op, not the kernel, splits work over threads.
namespace tinyllm {

/// Instruction sets that kernels are compiled for, weakest first. `amx` is AVX-512 with AMX for products in bfloat16.
enum class Isa : uint8_t { baseline, avx2, avx512, amx };
constexpr auto names(Isa) { return std::array{"baseline", "avx2", "avx512", "amx"}; }

/// The best set that this CPU and this build support, or the one that the environment variable TINYLLM_ISA names
/// (baseline, avx2, avx512, amx). Throws Error if the variable names anything else, or a set that is not supported.
Isa kernel_isa();
bool is_supported(Isa isa);
/// Whether the kernels of `kernel_isa()` can multiply matrices in this precision.
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

/// Numbers of a quantised row that share a scale, and rows of a packed matrix that are stored side by side.
inline constexpr int64_t kQuantBlock = 32;
inline constexpr int64_t kQuantPanel = 32;

/// Attention works on blocks of at most this many queries and keys. A page of a cache holds one block of keys.
inline constexpr int64_t kQueryBlock = 64;
inline constexpr int64_t kKeyBlock = 64;
/// Heads in one call of `attention_token`.
inline constexpr int64_t kMaxShared = 16;
/// Attention keeps its scratch memory for a block of keys on the stack.
inline constexpr int64_t kMaxHeadSize = 256;

/// Consecutive queries of one head, at most kQueryBlock, and their output. Query i is token `first` + i of its
/// sequence. It sees the keys from starts[i] up to itself.
struct QueryBlock {
  const float* q;
  float* out;      ///< Written.
  int64_t stride;  ///< Floats from one row of q or out to the next.
  int64_t first, count, head_size;
  const int32_t* starts;  ///< Null: every query sees key 0.
};

/// Dropout of the attention weights of one head. Element (key, query) of the mask is in row `row` + key. A row has
/// `tokens` elements, rounded up to whole kMaskGroups.
struct AttentionDropout {
  DropoutMask mask;
  int64_t row, tokens;
};

/// The keys and values of one head in a paged cache. Block j holds keys from j kKeyBlock on. Its keys begin at
/// k + pages[j] page_stride and are stored transposed, [head_size, kKeyBlock]. Its values begin at
/// v + pages[j] page_stride, [kKeyBlock, head_size].
struct KeyPages {
  DType type;  ///< Of k and v: f32 or f16.
  const void *k, *v;
  const int32_t* pages;
  int64_t page_stride;
};

/// The forward pass of training: keys and values of the whole sequence are in rows.
struct AttentionForward {
  QueryBlock queries;  ///< With dropout, `first` is a multiple of kQueryBlock.
  const float *k, *v;
  int64_t kv_stride;  ///< Floats from one row of k or v to the next.
  AttentionDropout dropout;
  float* lse;  ///< Written: log(sum(exp(score))) of each query.
};

/// One query of each of `heads` heads that share keys and values, side by side in q and out. It is the last of `tokens`
/// tokens, and sees all of them.
struct AttentionToken {
  const float* q;
  float* out;  ///< Written.
  int64_t heads, head_size, tokens;
  KeyPages cache;
};

/// The backward pass over the whole sequence of one head.
struct AttentionBackward {
  const float *q, *k, *v, *out, *lse, *dout;
  float *dq, *dk, *dv;                           ///< dq is written, dk and dv are added to.
  int64_t tokens, head_size, stride, kv_stride;  ///< `stride` is that of q, out, dout and dq.
  const int32_t* starts;                         ///< As in QueryBlock, of all tokens.
  AttentionDropout dropout;
};

/// Every fp32 kernel sums along k in blocks of this many terms, in order. All kernels therefore give bit-identical
/// results.
inline constexpr int64_t kSumDepth = 512;
/// Rows in one call of `few_rows`.
inline constexpr int64_t kFewRows = 8;
inline constexpr int64_t kFewRowsAcross = 2;

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

/// The product of INT8 rows x and a panel of quantised weights (ops/quantized.h), with d the scale of a block of
/// weights and u a weight plus the offset:
///   y[i, j] = sum over blocks of x[i, block].scale d[j, block] (x[i, block].start + sum_k x[i, block].q[k] u[j, k])
/// Blocks are summed in order. The result of a row does not depend on the other rows.
struct QuantizedBlock {
  int64_t rows, columns, blocks;  ///< At most kQuantPanel columns.
  const QuantizedNumbers* x;
  int64_t x_stride;  ///< Blocks from one row to the next.
  const std::byte* panel;
  const float* bias;  ///< [columns], added to the sum, or null.
  float* y;
  int64_t y_stride;
};

/// The product of rows of floats and a panel of bfloat16 weights (ops/quantized.h): y[i, j] = sum_k x[i, k] w[j, k].
/// Sums go along k in order.
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
  /// The numbers that blocks of a panel stand for, [kQuantBlock blocks, kQuantPanel].
  void (*unpack)(int64_t blocks, const std::byte* panel, float* to);
};

struct Kernels {
  // gemm.cc
  Products fp32;
  Products bf16;  ///< Inputs are rounded to bfloat16, sums are float. `multiply` is null if the CPU lacks bfloat16.

  // few_rows.cc
  void (*few_rows)(const FewRows& product);

  // quantized.cc
  QuantizedProducts q8_0, q4_0;
  /// Converts blocks of numbers to INT8: scale = max |x| / 127; q = x (127 / max |x|), rounded to the nearest whole
  /// number, ties to even; start = -offset sum(q).
  void (*quantize)(int64_t blocks, int32_t offset, const float* x, QuantizedNumbers* to);

  // convert.cc. Rounds to the nearest number, ties to even. Numbers that are too large become infinity.
  void (*from_f16)(int64_t n, const Half* x, float* y);
  void (*from_bf16)(int64_t n, const BFloat16* x, float* y);
  void (*to_f16)(int64_t n, const float* x, Half* y);
  void (*to_bf16)(int64_t n, const float* x, BFloat16* y);

  // bf16_weights.cc
  void (*bf16_weights)(const Bf16Block& block);

  Unary unary;           // unary.cc
  UnaryGrad unary_grad;  // unary.cc
  Binary binary;         // binary.cc

  // elementwise.cc. The result may overwrite an argument.
  void (*scale)(int64_t n, float factor, const float* x, float* out);
  void (*silu)(int64_t n, const float* x, float* y);
  void (*silu_grad)(int64_t n, const float* x, const float* dy, float* dx);
  void (*gelu)(int64_t n, const float* x, float* y);
  void (*gelu_grad)(int64_t n, const float* x, const float* dy, float* dx);
  /// out = x * mask, where x begins at element `first` of the mask, a multiple of kMaskGroup.
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
  void (*attention)(const AttentionForward& block);
  void (*attention_cached)(const QueryBlock& queries, const KeyPages& cache);
  // attention_token.cc
  void (*attention_token)(const AttentionToken& token);
  // attention_grad.cc
  void (*attention_grad)(const AttentionBackward& head);

  // update.cc
  /// total = keep * total + factor * x.
  void (*blend)(int64_t n, float factor, const float* x, float keep, float* total);
  void (*adamw)(int64_t n, const AdamWStep& step, const float* grad, float* param, float* m, float* v);
  double (*sum_of_squares)(int64_t n, const float* x);
  double (*sum)(int64_t n, const float* x);

  // peak.cc
  /// Runs `rounds` of multiply-adds on registers only. Returns the number of operations.
  double (*multiply_add)(int64_t rounds);
  /// The same for dot products of BF16 (vdpbf16ps, or tdpbf16ps with AMX) and of INT8 (vpdpbusd). Null if the CPU lacks
  /// the instruction.
  double (*dot_bf16)(int64_t rounds);
  double (*dot_int8)(int64_t rounds);
  /// Reads x and discards it. n is a multiple of 128.
  void (*read)(int64_t n, const float* x);
};

/// The table of `kernel_isa()`.
const Kernels& kernels();
/// The table of one instruction set. Throws Error if this CPU or this build does not support it.
const Kernels& kernels(Isa isa);

}  // namespace kernels
}  // namespace tinyllm
