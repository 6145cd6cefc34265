#include <tinyllm/ops/detail/activation.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) { run_activation(launch, kernels::kernels().silu); }
void run_grad(const Launch& launch) { run_activation_grad(launch, kernels::kernels().silu_grad); }
std::vector<Tensor> gradient(const Backward& node) { return activation_gradient(kSiluGrad, node); }

}  // namespace

const Op kSilu{.name = "silu", .run = run, .gradient = gradient, .in_place = 1};
const Op kSiluGrad{.name = "silu_grad", .run = run_grad, .in_place = 2};

Tensor silu(Tensor x, const Dropout& dropout) { return append_activation(kSilu, x, dropout); }

}  // namespace tinyllm
