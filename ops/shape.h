#pragma once

#include <tinyllm/tensor/graph.h>

#include <vector>

/// A negative axis counts from the end: -1 is the innermost. Ops that move elements take f32 and i32.
namespace tinyllm {

/// The same elements with other extents. One extent may be -1; it is then computed. Nothing is copied.
Tensor reshape(Tensor x, std::vector<int64_t> extents);
/// Without an axis of one element. Nothing is copied.
Tensor squeeze(Tensor x, int axis);
/// With a new axis of one element, which is axis `axis` of the result. Nothing is copied.
Tensor unsqueeze(Tensor x, int axis);

/// Axis i of the result is axis order[i] of x.
Tensor permute(Tensor x, std::vector<int> order);
/// Two axes change places.
Tensor transpose(Tensor x, int a, int b);
/// An axis backwards: y[i] = x[n - 1 - i].
Tensor flip(Tensor x, int axis);

/// Elements [from, to) of an axis.
Tensor slice(Tensor x, int axis, int64_t from, int64_t to);
/// Tensors joined along an axis. The other extents must agree.
Tensor concat(const std::vector<Tensor>& parts, int axis);
/// The inverse of `concat`: parts of the given extents along an axis, which add up to the axis.
std::vector<Tensor> split(Tensor x, int axis, const std::vector<int64_t>& extents);
/// Tensors of one shape joined along a new axis: y[i] = parts[i], if the new axis is the first.
Tensor stack(const std::vector<Tensor>& parts, int axis);

/// x repeated to a shape, by NumPy's rule: seen from the innermost axis, each extent of x is that of `shape`, or 1, or
/// missing.
Tensor broadcast_to(Tensor x, Shape shape);
/// x side by side with itself, `times[i]` times along axis i: y[i, j, ...] = x[i mod X_0, j mod X_1, ...].
Tensor repeat(Tensor x, const std::vector<int64_t>& times);
/// Elements that `pad` adds to an axis.
struct PadWidth {
  int64_t before = 0, after = 0;
};
/// x with added elements of one value around it. `widths` has one entry for each axis.
Tensor pad(Tensor x, std::vector<PadWidth> widths, float value = 0);
/// Matrices x [..., M, N] with zeros below (triu) or above (tril) a diagonal: triu keeps x[i, j] with j - i >=
/// diagonal, tril with j - i <= diagonal. What is not kept is 0, even if it was NaN.
Tensor triu(Tensor x, int64_t diagonal = 0);
Tensor tril(Tensor x, int64_t diagonal = 0);

}  // namespace tinyllm
