#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) { run_broadcast(launch, kernels::kernels().add); }

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor d = node.output_grads[0];
  return {d, reduce_to(d, node.inputs[1].shape())};
}

}  // namespace

const Op kAdd{.name = "add", .run = run, .gradient = gradient, .in_place = 2};

Tensor add(Tensor x, Tensor y) {
  check_f32("add", {x, y});
  check_broadcast("add", x, y);
  return x.graph().append(kAdd, {x, y}, {{f32, x.shape()}})[0];
}

}  // namespace tinyllm
