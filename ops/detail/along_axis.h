#pragma once

#include <tinyllm/ops/shape.h>

#include <limits>
#include <string_view>

namespace tinyllm {

/// How ops along one axis, of n elements, see a tensor: [outer, n, inner].
struct AlongAxis {
  int64_t outer, n, inner;

  AlongAxis(int64_t outer_size, int64_t size, int64_t inner_size) : outer(outer_size), n(size), inner(inner_size) {}
  AlongAxis(const Shape& shape, int axis)
      : outer(shape.size(0, axis)), n(shape[axis]), inner(shape.size(axis + 1, shape.rank())) {}
};

/// Applies `f`, which works along the last axis, to an axis of x: they change places and change back.
template <class F>
Tensor along_last(Tensor x, int axis, F f) {
  axis = x.shape().axis(axis);
  return axis + 1 == x.shape().rank() ? f(x) : transpose(f(transpose(x, axis, -1)), axis, -1);
}

/// Throws Error unless the axis has at least `least` elements, and indices of 32 bits reach all of them.
inline void check_indexable(std::string_view op, const Tensor& x, int axis, int64_t least) {
  const int64_t n = x.shape()[axis];
  if (n < least || n > std::numeric_limits<int32_t>::max()) {
    throw Error("{}: {}: axis {} has {} elements, expected {} to 2^31 - 1", op, x.str(), axis, n, least);
  }
}

}  // namespace tinyllm
