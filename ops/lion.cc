#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

float sign_of(float x) { return static_cast<float>(x > 0) - static_cast<float>(x < 0); }

// Inputs: param, grad, m, rate, factor. The output is the parameter itself.
void run(const Launch& launch) {
  const Lion o = launch.get<Lion>();
  const float rate = launch.inputs[3].f32()[0];
  const float factor = launch.inputs[4].f32()[0];
  if (factor == 0) return;
  const float keep = 1 - rate * o.decay;
  parallel_ranges(*launch.pool, launch.inputs[0].size(), 16384, [&](int64_t begin, int64_t end) {
    float* param = launch.inputs[0].f32();
    const float* grad = launch.inputs[1].f32();
    float* m = launch.inputs[2].f32();
    for (int64_t i = begin; i < end; ++i) {
      const float g = factor * grad[i];
      param[i] = keep * param[i] - rate * sign_of(o.beta1 * m[i] + (1 - o.beta1) * g);
      m[i] = o.beta2 * m[i] + (1 - o.beta2) * g;
    }
  });
}

}  // namespace

const Op kLion{.name = "lion", .run = run, .alias = true};

Tensor lion(Tensor param, Tensor grad, Tensor m, Tensor rate, Tensor factor, const Lion& options) {
  check_f32("lion", {param, grad, m, rate, factor});
  for (const Tensor& tensor : {grad, m}) check_shape("lion", tensor, param.shape());
  for (const Tensor& tensor : {rate, factor}) check_shape("lion", tensor, {1});
  return param.graph().append(kLion, {param, grad, m, rate, factor}, {{f32, param.shape()}}, options)[0];
}

}  // namespace tinyllm
