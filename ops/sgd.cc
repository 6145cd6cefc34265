#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// Inputs: param, grad, momentum, rate, factor. The output is the parameter itself.
void run(const Launch& launch) {
  const Sgd o = launch.get<Sgd>();
  const float rate = launch.inputs[3].f32()[0];
  const float factor = launch.inputs[4].f32()[0];
  if (factor == 0) return;
  parallel_ranges(*launch.pool, launch.inputs[0].size(), 16384, [&](int64_t begin, int64_t end) {
    float* param = launch.inputs[0].f32();
    const float* grad = launch.inputs[1].f32();
    float* momentum = launch.inputs[2].f32();
    for (int64_t i = begin; i < end; ++i) {
      const float g = factor * grad[i] + o.decay * param[i];
      const float m = o.momentum * momentum[i] + g;
      momentum[i] = m;
      param[i] -= rate * (o.nesterov ? o.momentum * m + g : m);
    }
  });
}

}  // namespace

const Op kSgd{.name = "sgd", .run = run, .alias = true};

Tensor sgd(Tensor param, Tensor grad, Tensor momentum, Tensor rate, Tensor factor, const Sgd& options) {
  check_f32("sgd", {param, grad, momentum, rate, factor});
  for (const Tensor& tensor : {grad, momentum}) check_shape("sgd", tensor, param.shape());
  for (const Tensor& tensor : {rate, factor}) check_shape("sgd", tensor, {1});
  return param.graph().append(kSgd, {param, grad, momentum, rate, factor}, {{f32, param.shape()}}, options)[0];
}

}  // namespace tinyllm
