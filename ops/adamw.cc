#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

namespace tinyllm {
namespace {

float correction(float beta, int32_t step) {
  return static_cast<float>(1.0 - std::pow(static_cast<double>(beta), static_cast<double>(step)));
}

// Inputs: param, grad, m, v, step, rate, factor. The output is the parameter itself.
void run(const Launch& launch) {
  const AdamW& options = launch.get<AdamW>();
  const int32_t step = launch.inputs[4].i32()[0];
  if (step < 1) throw Error("adamw: step {}, expected 1 or more", step);
  kernels::AdamWStep now{};
  now.rate = launch.inputs[5].f32()[0];
  now.factor = launch.inputs[6].f32()[0];
  if (now.factor == 0) return;
  now.beta1 = options.beta1;
  now.beta2 = options.beta2;
  now.eps = options.eps;
  now.decay = options.decay;
  now.correction1 = correction(options.beta1, step);
  now.correction2 = correction(options.beta2, step);
  parallel_ranges(*launch.pool, launch.inputs[0].size(), 16384, [&](int64_t begin, int64_t end) {
    kernels::kernels().adamw(end - begin, now, launch.inputs[1].f32() + begin, launch.inputs[0].f32() + begin,
                             launch.inputs[2].f32() + begin, launch.inputs[3].f32() + begin);
  });
}

}  // namespace

const Op kAdamW{.name = "adamw", .run = run, .alias = true};

Tensor adamw(Tensor param, Tensor grad, Tensor m, Tensor v, Tensor step, Tensor rate, Tensor factor,
             const AdamW& options) {
  check_f32("adamw", {param, grad, m, v, rate, factor});
  check_i32("adamw", {step});
  for (const Tensor& tensor : {grad, m, v}) check_shape("adamw", tensor, param.shape());
  for (const Tensor& tensor : {step, rate, factor}) check_shape("adamw", tensor, {1});
  return param.graph().append(kAdamW, {param, grad, m, v, step, rate, factor}, {{f32, param.shape()}}, options)[0];
}

}  // namespace tinyllm
