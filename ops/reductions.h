#pragma once

#include <tinyllm/tensor/graph.h>

#include <initializer_list>
#include <vector>

namespace tinyllm {

// Axes are removed from the result, or stay with an extent of 1 if `keep_dims`. A negative axis counts from the end; an
// axis that does not exist or is named twice is an Error. Functions without axes reduce everything, and their result is
// [1]; an empty list of axes reduces nothing.
// NaN gives NaN. Results are the same bits on any number of threads.

/// Sum over all elements: [1].
Tensor sum(Tensor x);
/// Sum over one axis, which disappears.
Tensor sum(Tensor x, int axis);
Tensor sum(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
Tensor sum(Tensor x, std::initializer_list<int> axes, bool keep_dims = false);
/// sum / number of elements summed. Throws Error if there are none to average.
Tensor mean(Tensor x);
Tensor mean(Tensor x, int axis);
Tensor mean(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
Tensor mean(Tensor x, std::initializer_list<int> axes, bool keep_dims = false);
/// sum((x - mean x)^2) / (number of elements - correction), in two passes. A correction of 1 gives the unbiased
/// estimate of a sample. Throws Error unless there are more elements than the correction.
Tensor var(Tensor x, const std::vector<int>& axes, bool keep_dims = false, int64_t correction = 0);

/// The greatest and the least element. The gradient goes to the first of the greatest ones, in row-major order. Throws
/// Error if there are no elements to choose from.
Tensor max(Tensor x);
Tensor max(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
Tensor min(Tensor x);
Tensor min(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
/// The index (i32) of the greatest and of the least element of an axis: that of the first of equal ones, or of the
/// first NaN.
Tensor argmax(Tensor x, int axis, bool keep_dims = false);
Tensor argmin(Tensor x, int axis, bool keep_dims = false);
/// log(sum(exp(x))), which does not overflow. Minus infinity if all of x is. Throws Error if there are no elements.
Tensor logsumexp(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
/// The product; 1 of no elements. The gradient of an element is the product of the others, also where some are 0.
Tensor prod(Tensor x);
Tensor prod(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
/// Whether any or all of x, truth values in i32, are true: 1 or 0. Of no elements, `any` is 0 and `all` is 1.
Tensor any(Tensor x);
Tensor any(Tensor x, const std::vector<int>& axes, bool keep_dims = false);
Tensor all(Tensor x);
Tensor all(Tensor x, const std::vector<int>& axes, bool keep_dims = false);

// ---- Along one axis, which keeps its extent -----------------------------------------------------------------------

/// y[i] = x[0] + ... + x[i], summed in double.
Tensor cumsum(Tensor x, int axis);

/// Numbers in order, and where they were: i32. Equal numbers keep their order, as 0 and -0 do. NaN is the greatest.
struct Sorted {
  Tensor values, indices;
};
/// x, f32 or i32, in ascending order, or in `descending` order.
Sorted sort(Tensor x, int axis, bool descending = false);
/// The indices of `sort` alone.
Tensor argsort(Tensor x, int axis, bool descending = false);
/// The k greatest, in descending order: the first k of `sort`. Throws Error unless 0 <= k <= the axis.
Sorted top_k(Tensor x, int64_t k, int axis = -1);

}  // namespace tinyllm
