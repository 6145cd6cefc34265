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
    kernels::kernels().silu(end - begin, x.f32() + begin, launch.outputs[0].f32() + begin);
  });
}

void run_grad(const Launch& launch) {
  const View& x = launch.inputs[0];
  parallel_ranges(*launch.pool, x.size(), 4096, [&](int64_t begin, int64_t end) {
    kernels::kernels().silu_grad(end - begin, x.f32() + begin, launch.inputs[1].f32() + begin,
                                 launch.outputs[0].f32() + begin);
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  return {append_gradient(kSiluGrad, node.inputs[0], node.output_grads[0])};
}

}  // namespace

const Op kSilu{.name = "silu", .run = run, .gradient = gradient, .in_place = 1};
const Op kSiluGrad{.name = "silu_grad", .run = run_grad, .in_place = 2};

Tensor silu(Tensor x) {
  check_f32("silu", {x});
  return x.graph().append(kSilu, {x}, {{f32, x.shape()}})[0];
}

}  // namespace tinyllm
