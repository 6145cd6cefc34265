#include <tinyllm/ops/detail/mask.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const kernels::DropoutMask mask = mask_at(launch.get<MaskParams>(), launch.inputs[1].i32()[0]);
  parallel_ranges(*launch.pool, x.size(), 4096, [&](int64_t begin, int64_t end) {
    kernels::kernels().dropout(end - begin, begin, mask, x.f32() + begin, launch.outputs[0].f32() + begin);
  });
}

// The same mask on the gradient.
std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return {
      x.graph().append(kDropout, {node.output_grads[0], node.inputs[1]}, {{f32, x.shape()}}, node.get<MaskParams>())[0],
      {}};
}

}  // namespace

const Op kDropout{.name = "dropout", .run = run, .gradient = gradient, .in_place = 1};

Tensor dropout(Tensor x, const Dropout& options) {
  check_f32("dropout", {x});
  if (!drops(options)) return x;
  return x.graph().append(kDropout, {x, options.step}, {{f32, x.shape()}},
                          mask_params("dropout", x.graph(), options))[0];
}

}  // namespace tinyllm
