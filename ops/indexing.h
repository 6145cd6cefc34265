#pragma once

#include <tinyllm/tensor/graph.h>

/// Elements by their indices, which are i32. Running throws Error on an index outside the axis. Sums at one index are
/// in the order of the indices, on any number of threads.
namespace tinyllm {

/// y[o, j, i] = x[o, indices[o, j, i], i], where the middle index is that of `axis` and o and i stand for the axes
/// around it. `indices` has the extents of x, but for the axis. x is f32 or i32.
Tensor gather(Tensor x, int axis, Tensor indices);
/// x with values added: y = x, then y[o, indices[o, j, i], i] += values[o, j, i] for every j in order. `indices` and
/// `values` have the extents of x, but for the axis.
Tensor scatter_add(Tensor x, int axis, Tensor indices, Tensor values);
/// y[o, j, i] = x[o, indices[j], i]: parts of an axis. indices [N]; x is f32 or i32.
Tensor index_select(Tensor x, int axis, Tensor indices);
/// y[..., c] = 1 if c is the index, else 0, for c < classes. indices [...]; y [..., classes], f32.
Tensor one_hot(Tensor indices, int64_t classes);

}  // namespace tinyllm
