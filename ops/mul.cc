#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) { run_broadcast(launch, kernels::kernels().mul); }

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  const Tensor y = node.inputs[1];
  const Tensor d = node.output_grads[0];
  return {mul(d, y), reduce_to(mul(d, x), y.shape())};
}

}  // namespace

const Op kMul{.name = "mul", .run = run, .gradient = gradient, .in_place = 2};

Tensor mul(Tensor x, Tensor y) {
  check_f32("mul", {x, y});
  check_broadcast("mul", x, y);
  return x.graph().append(kMul, {x, y}, {{f32, x.shape()}})[0];
}

}  // namespace tinyllm
