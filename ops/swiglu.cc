#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// Input: x [rows, 2 F].
void run(const Launch& launch) {
  const kernels::Kernels& kernel = kernels::kernels();
  const int64_t f = launch.outputs[0].shape.row();
  parallel_ranges(*launch.pool, launch.outputs[0].shape.rows(), row_grain(2 * f), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* gate = launch.inputs[0].f32() + 2 * i * f;
      float* y = launch.outputs[0].f32() + i * f;
      kernel.silu(f, gate, y);
      kernel.binary.mul(f, y, gate + f, y);
    }
  });
}

// Inputs: x, dy. With y = silu(g) u: dg = silu'(g) (dy u), du = dy silu(g).
void run_grad(const Launch& launch) {
  const kernels::Kernels& kernel = kernels::kernels();
  const int64_t f = launch.inputs[1].shape.row();
  parallel_ranges(*launch.pool, launch.inputs[1].shape.rows(), row_grain(2 * f), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const float* gate = launch.inputs[0].f32() + 2 * i * f;
      const float* dy = launch.inputs[1].f32() + i * f;
      float* dgate = launch.outputs[0].f32() + 2 * i * f;
      float* dup = dgate + f;
      kernel.binary.mul(f, dy, gate + f, dgate);
      kernel.silu_grad(f, gate, dgate, dgate);
      kernel.silu(f, gate, dup);
      kernel.binary.mul(f, dup, dy, dup);
    }
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  return {append_gradient(kSwigluGrad, node.inputs[0], node.output_grads[0])};
}

}  // namespace

const Op kSwiglu{.name = "swiglu", .run = run, .gradient = gradient};
const Op kSwigluGrad{.name = "swiglu_grad", .run = run_grad};

Tensor swiglu(Tensor x) {
  check_f32("swiglu", {x});
  if (x.shape().rank() < 1 || x.shape().row() % 2 != 0) {
    throw Error("swiglu: x {}: expected [..., 2 F]", x.str());
  }
  return x.graph().append(kSwiglu, {x}, {{f32, x.shape().with(-1, x.shape().row() / 2)}})[0];
}

}  // namespace tinyllm
