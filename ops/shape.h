#pragma once

#include <tinyllm/tensor/graph.h>

#include <vector>

namespace tinyllm {

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

}  // namespace tinyllm
