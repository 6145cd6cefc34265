#pragma once

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/op.h>

#include <array>

// What `add` and `mul` share: the second argument may be one row of the first, or one element.
namespace tinyllm {

/// Throws Error unless y's shape is x's, a tail of x's, or [1].
inline void check_broadcast(const char* op, const Tensor& x, const Tensor& y) {
  const Shape& a = x.shape();
  const Shape& b = y.shape();
  const bool is_tail = b.rank() <= a.rank() && std::equal(b.begin(), b.end(), a.end() - b.rank());
  if (!is_tail && b != Shape{1}) {
    throw Error("{}: x {} and y {}: expected y of x's shape, or the end of it, or [1]", op, x.str(), y.str());
  }
}

/// out[i] = kernel(x[i], y[i mod size of y]).
inline void run_broadcast(const Launch& launch, void (*kernel)(int64_t, const float*, const float*, float*)) {
  const float* x = launch.inputs[0].f32();
  const float* y = launch.inputs[1].f32();
  float* out = launch.outputs[0].f32();
  int64_t period = launch.inputs[1].size();
  std::array<float, 512> repeated;
  if (period == 1) {
    repeated.fill(y[0]);
    y = repeated.data();
    period = static_cast<int64_t>(repeated.size());
  }
  parallel_ranges(*launch.pool, launch.outputs[0].size(), 16384, [&](int64_t begin, int64_t end) {
    while (begin < end) {
      const int64_t skip = begin % period;
      const int64_t count = std::min(period - skip, end - begin);
      kernel(count, x + begin, y + skip, out + begin);
      begin += count;
    }
  });
}

/// Sums a gradient of x's shape to the shape of a broadcast y.
inline Tensor reduce_to(Tensor grad, const Shape& shape) {
  if (grad.shape() == shape) return grad;
  if (shape.size() == 1) return reshape(sum(grad), {shape.begin(), shape.end()});
  const int64_t outer = grad.shape().size(0, grad.shape().rank() - shape.rank());
  return reshape(sum(reshape(grad, {outer, shape.size()}), 0), {shape.begin(), shape.end()});
}

}  // namespace tinyllm
