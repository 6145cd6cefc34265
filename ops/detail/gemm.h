#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <cstdint>

namespace tinyllm {

struct Patches;

/// A function that a matrix product may apply to its result while the result is still in the cache.
enum class Activation : uint8_t { none, silu, gelu };

/// C = act(op(A) op(B) + bias), row-major and contiguous. op(A) is [m, k], op(B) [k, n], C [m, n]. All are float, but B
/// may be a packed matrix (ops/quantized.h): it is read as the floats that it stands for, with the same bits of C.
struct GemmShape {
  int64_t m, n, k;
  bool trans_a = false;     ///< A is stored [k, m].
  bool trans_b = false;     ///< B is stored [n, k].
  bool accumulate = false;  ///< C += instead of C =. Not together with an activation.
  Activation activation = Activation::none;
  Precision precision = Precision::fp32;  ///< A and B are rounded to it when they are packed.
  Type b_type = f32;                      ///< Or a packed matrix, [n, k] if `trans_b`, else [k, n].
  /// Not null: B is an image and stands for the matrix of its patches (patches.h).
  const Patches* b_patches = nullptr;
};

/// Bytes of scratch memory that `gemm` needs for this shape with this many workers, in any precision.
size_t gemm_workspace(const GemmShape& shape, int workers);

/// Computes the product on all threads of the pool. `bias` is [n] or null; `workspace` has `gemm_workspace` bytes.
/// The shape alone fixes the order in which an element of C sums over k, so results are the same bits for any number of
/// threads. In fp32 k alone fixes it, so a row of C does not depend on the number of rows either.
/// Throws Error if this CPU has no products in the shape's precision (`is_supported` of kernels.h).
void gemm(const GemmShape& shape, const float* a, const void* b, const float* bias, float* c, void* workspace,
          ThreadPool& pool);

/// Floating point operations of a product.
constexpr double gemm_flops(int64_t m, int64_t n, int64_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

}  // namespace tinyllm
