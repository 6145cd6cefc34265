#pragma once

#include <tinyllm/tensor/base/thread_pool.h>
#include <tinyllm/tensor/types.h>

#include <cstddef>
#include <cstdint>

namespace tinyllm {

/// What a matrix product may do to its result while it is still in the cache.
enum class Activation : uint8_t { none, silu, gelu };

/// C = act(op(A) op(B) + bias), all float, row-major and contiguous. op(A) is [m, k], op(B) [k, n], C [m, n].
struct GemmShape {
  int64_t m, n, k;
  bool trans_a = false;     ///< A is stored [k, m].
  bool trans_b = false;     ///< B is stored [n, k].
  bool accumulate = false;  ///< C += instead of C =; then without activation.
  Activation activation = Activation::none;
  Precision precision = Precision::fp32;  ///< What A and B are rounded to when they are copied.
};

/// Bytes of scratch memory that `gemm` needs for this shape on a pool of that many workers, in any precision.
size_t gemm_workspace(const GemmShape& shape, int workers);

/// The product on all threads of the pool. `bias` is [n] or null, `workspace` has `gemm_workspace` bytes. Element (i,
/// j) of C sums over k in an order that the shape alone fixes, so results are the same bits for any number of threads;
/// in fp32, in one that k alone fixes, so that row i of C does not depend on the number of rows either.
/// Throws Error when the kernels that run have no products in the shape's precision (`is_supported` of kernels.h).
void gemm(const GemmShape& shape, const float* a, const float* b, const float* bias, float* c, void* workspace,
          ThreadPool& pool);

/// Floating point operations of a product.
constexpr double gemm_flops(int64_t m, int64_t n, int64_t k) {
  return 2.0 * static_cast<double>(m) * static_cast<double>(n) * static_cast<double>(k);
}

}  // namespace tinyllm
