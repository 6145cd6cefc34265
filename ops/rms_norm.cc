#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  float eps;
};

// Outputs: y, and 1 / rms of every row, which the gradient needs again.
void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const int64_t c = x.shape.row();
  parallel_ranges(*launch.pool, x.shape.rows(), row_grain(c), [&](int64_t begin, int64_t end) {
    kernels::kernels().rms_norm(end - begin, c, x.f32() + begin * c, launch.inputs[1].f32(), launch.get<Params>().eps,
                                launch.outputs[0].f32() + begin * c, launch.outputs[1].f32() + begin);
  });
}

// The gradient of w is a sum over rows. Each of a fixed number of pieces has a partial sum; these are added up in
// order.
constexpr int64_t kMaxPieces = 32;
int64_t grad_grain(const Shape& x) { return std::max(row_grain(x.row()), ceil_div(x.rows(), kMaxPieces)); }

size_t grad_workspace(const Node& node, const Graph& graph, int) {
  return static_cast<size_t>(kMaxPieces * graph.value(node.inputs[0]).shape.row()) * sizeof(float);
}

void run_grad(const Launch& launch) {
  const View& x = launch.inputs[0];
  const int64_t c = x.shape.row();
  const int64_t grain = grad_grain(x.shape);
  auto* partial = static_cast<float*>(launch.workspace);
  parallel_ranges(*launch.pool, x.shape.rows(), grain, [&](int64_t begin, int64_t end) {
    float* dw = partial + begin / grain * c;
    std::fill_n(dw, c, 0.0f);
    kernels::kernels().rms_norm_grad(end - begin, c, x.f32() + begin * c, launch.inputs[1].f32(),
                                     launch.inputs[2].f32() + begin, launch.inputs[3].f32() + begin * c,
                                     launch.outputs[0].f32() + begin * c, dw);
  });
  float* dw = launch.outputs[1].f32();
  std::fill_n(dw, c, 0.0f);
  for (int64_t row = 0; row < x.shape.rows(); row += grain) {
    kernels::kernels().binary.add(c, dw, partial + row / grain * c, dw);
  }
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  const Tensor w = node.inputs[1];
  return x.graph().append(kRmsNormGrad, {x, w, node.outputs[1], node.output_grads[0]},
                          {{f32, x.shape()}, {f32, w.shape()}});
}

}  // namespace

const Op kRmsNorm{.name = "rms_norm", .run = run, .gradient = gradient};
const Op kRmsNormGrad{.name = "rms_norm_grad", .run = run_grad, .workspace = grad_workspace};

Tensor rms_norm(Tensor x, Tensor w, float eps) {
  check_f32("rms_norm", {x, w});
  if (x.shape().rank() < 1 || x.shape().row() < 1 || w.shape() != Shape{x.shape().row()}) {
    throw Error("rms_norm: x {} and w {}: expected x [..., C] and w [C]", x.str(), w.str());
  }
  return x.graph().append(kRmsNorm, {x, w}, {{f32, x.shape()}, {f32, {x.shape().rows()}}}, Params{eps})[0];
}

}  // namespace tinyllm
