#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/strided_copy.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const Shape& x = launch.inputs[0].shape;
  const int added = launch.outputs[0].shape.rank() - x.rank();
  Strides strides;
  for (int i = 0; i < x.rank(); ++i) strides[added + i] = x[i] == 1 ? 0 : x.size(i + 1, x.rank());
  copy_strided(launch, strides);
}

std::vector<Tensor> gradient(const Backward& node) { return {reduce_to(node.output_grads[0], node.inputs[0].shape())}; }

}  // namespace

const Op kBroadcastTo{.name = "broadcast_to", .run = run, .gradient = gradient};

Tensor broadcast_to(Tensor x, Shape shape) {
  check_words("broadcast_to", x);
  const int added = shape.rank() - x.shape().rank();
  bool fits = added >= 0;
  for (int i = 0; fits && i < x.shape().rank(); ++i) fits = x.shape()[i] == 1 || x.shape()[i] == shape[added + i];
  if (!fits) {
    throw Error("broadcast_to: x {} to {}: expected each extent to be 1 or that of the result, from the innermost on",
                x.str(), shape);
  }
  if (shape == x.shape()) return x;
  return x.graph().append(kBroadcastTo, {x}, {{x.type(), shape}})[0];
}

}  // namespace tinyllm
