#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  float factor;
};

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  parallel_ranges(*launch.pool, x.size(), 16384, [&](int64_t begin, int64_t end) {
    kernels::kernels().scale(end - begin, launch.get<Params>().factor, x.f32() + begin,
                             launch.outputs[0].f32() + begin);
  });
}

std::vector<Tensor> gradient(const Backward& node) { return {scale(node.output_grads[0], node.get<Params>().factor)}; }

}  // namespace

const Op kScale{.name = "scale", .run = run, .gradient = gradient, .in_place = 1};

Tensor scale(Tensor x, float factor) {
  check_f32("scale", {x});
  return x.graph().append(kScale, {x}, {{f32, x.shape()}}, Params{factor})[0];
}

}  // namespace tinyllm
