#include <tinyllm/ops/check.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/parallel.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  parallel_ranges(*launch.pool, x.size(), 4096, [&](int64_t begin, int64_t end) {
    kernels::kernels().gelu(end - begin, x.f32() + begin, launch.outputs[0].f32() + begin);
  });
}

void run_grad(const Launch& launch) {
  const View& x = launch.inputs[0];
  parallel_ranges(*launch.pool, x.size(), 4096, [&](int64_t begin, int64_t end) {
    kernels::kernels().gelu_grad(end - begin, x.f32() + begin, launch.inputs[1].f32() + begin,
                                 launch.outputs[0].f32() + begin);
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  return {append_gradient(kGeluGrad, node.inputs[0], node.output_grads[0])};
}

}  // namespace

const Op kGelu{.name = "gelu", .run = run, .gradient = gradient, .in_place = 1};
const Op kGeluGrad{.name = "gelu_grad", .run = run_grad, .in_place = 2};

Tensor gelu(Tensor x) {
  check_f32("gelu", {x});
  return x.graph().append(kGelu, {x}, {{f32, x.shape()}})[0];
}

}  // namespace tinyllm
