#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// Inputs: total, x, factor. The output is the total itself.
void run(const Launch& launch) {
  const float factor = launch.inputs[2].f32()[0];
  const float keep = launch.get<float>();
  parallel_ranges(*launch.pool, launch.inputs[0].size(), 16384, [&](int64_t begin, int64_t end) {
    kernels::kernels().blend(end - begin, factor, launch.inputs[1].f32() + begin, keep, launch.inputs[0].f32() + begin);
  });
}

}  // namespace

const Op kAccumulate{.name = "accumulate", .run = run, .alias = true};

Tensor accumulate(Tensor total, Tensor x, Tensor factor, float keep) {
  check_f32("accumulate", {total, x, factor});
  check_shape("accumulate", x, total.shape());
  check_shape("accumulate", factor, {1});
  return total.graph().append(kAccumulate, {total, x, factor}, {{f32, total.shape()}}, keep)[0];
}

}  // namespace tinyllm
