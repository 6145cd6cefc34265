#include <tinyllm/ops/detail/along_axis.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const int64_t c = x.shape.row();
  parallel_ranges(*launch.pool, x.shape.rows(), row_grain(c), [&](int64_t begin, int64_t end) {
    kernels::kernels().softmax(end - begin, c, x.f32() + begin * c, launch.outputs[0].f32() + begin * c);
  });
}

void run_grad(const Launch& launch) {
  const View& y = launch.inputs[0];
  const int64_t c = y.shape.row();
  parallel_ranges(*launch.pool, y.shape.rows(), row_grain(c), [&](int64_t begin, int64_t end) {
    kernels::kernels().softmax_grad(end - begin, c, y.f32() + begin * c, launch.inputs[1].f32() + begin * c,
                                    launch.outputs[0].f32() + begin * c);
  });
}

// It needs the result, not x.
std::vector<Tensor> gradient(const Backward& node) {
  return {append_gradient(kSoftmaxGrad, node.outputs[0], node.output_grads[0])};
}

}  // namespace

const Op kSoftmax{.name = "softmax", .run = run, .gradient = gradient, .in_place = 1};
const Op kSoftmaxGrad{.name = "softmax_grad", .run = run_grad, .in_place = 2};

Tensor softmax(Tensor x, int axis) {
  check_f32("softmax", {x});
  if (x.shape()[axis] < 1) throw Error("softmax: x {}: axis {} has no elements, expected at least one", x.str(), axis);
  return along_last(x, axis, [](Tensor rows) {
    return rows.graph().append(kSoftmax, {rows}, {{f32, rows.shape()}})[0];
  });
}

}  // namespace tinyllm
