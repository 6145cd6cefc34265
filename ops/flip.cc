#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/strided_copy.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  int axis;
};

void run(const Launch& launch) {
  const Shape& x = launch.inputs[0].shape;
  const int axis = launch.get<Params>().axis;
  Strides strides;
  for (int i = 0; i < x.rank(); ++i) strides[i] = x.size(i + 1, x.rank());
  strides.offset = (x[axis] - 1) * strides[axis];
  strides[axis] = -strides[axis];
  copy_strided(launch, strides);
}

std::vector<Tensor> gradient(const Backward& node) { return {flip(node.output_grads[0], node.get<Params>().axis)}; }

}  // namespace

const Op kFlip{.name = "flip", .run = run, .gradient = gradient};

Tensor flip(Tensor x, int axis) {
  check_words("flip", x);
  return x.graph().append(kFlip, {x}, {{x.type(), x.shape()}}, Params{x.shape().axis(axis)})[0];
}

}  // namespace tinyllm
