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

Tensor softmax(Tensor x) {
  check_f32("softmax", {x});
  if (x.shape().rank() < 1 || x.shape().row() < 1) throw Error("softmax: x {}: expected [..., C] with C >= 1", x.str());
  return x.graph().append(kSoftmax, {x}, {{f32, x.shape()}})[0];
}

}  // namespace tinyllm
