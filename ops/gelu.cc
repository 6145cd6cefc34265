#include <tinyllm/ops/detail/activation.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) { run_activation(launch, kernels::kernels().gelu); }
void run_grad(const Launch& launch) { run_activation_grad(launch, kernels::kernels().gelu_grad); }
std::vector<Tensor> gradient(const Backward& node) { return activation_gradient(kGeluGrad, node); }

}  // namespace

const Op kGelu{.name = "gelu", .run = run, .gradient = gradient, .in_place = 1};
const Op kGeluGrad{.name = "gelu_grad", .run = run_grad, .in_place = 2};

Tensor gelu(Tensor x, const Dropout& dropout) { return append_activation(kGelu, x, dropout); }

}  // namespace tinyllm
