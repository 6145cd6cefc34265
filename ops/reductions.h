#pragma once

#include <tinyllm/tensor/graph.h>

namespace tinyllm {

/// Sum over all elements: [1].
Tensor sum(Tensor x);
/// Sum over one axis, which disappears.
Tensor sum(Tensor x, int axis);
/// sum / number of elements summed.
Tensor mean(Tensor x);
Tensor mean(Tensor x, int axis);

}  // namespace tinyllm
