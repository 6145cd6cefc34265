#pragma once

#include <tinyllm/ops/detail/mask.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>

#include <array>

// What `silu` and `gelu` share: a function of each element and then, in the same pass over memory, a dropout.
namespace tinyllm {

/// The elements of a piece stay in the L1 cache between the function and the dropout.
inline constexpr int64_t kActivationPiece = 4096;

inline Tensor append_activation(const Op& op, Tensor x, const Dropout& dropout) {
  check_f32(op.name, {x});
  if (!drops(dropout)) return x.graph().append(op, {x}, {{f32, x.shape()}})[0];
  return x.graph().append(op, {x, dropout.step}, {{f32, x.shape()}}, mask_params(op.name, x.graph(), dropout))[0];
}

/// Inputs: x, and the step if there is a dropout.
inline void run_activation(const Launch& launch, void (*activation)(int64_t n, const float* x, float* y)) {
  const View& x = launch.inputs[0];
  const bool drops = launch.inputs.size() > 1;
  const kernels::DropoutMask mask =
      drops ? mask_at(launch.get<MaskParams>(), launch.inputs[1].i32()[0]) : kernels::DropoutMask{};
  parallel_ranges(*launch.pool, x.size(), kActivationPiece, [&](int64_t begin, int64_t end) {
    float* y = launch.outputs[0].f32() + begin;
    activation(end - begin, x.f32() + begin, y);
    if (drops) kernels::kernels().dropout(end - begin, begin, mask, y, y);
  });
}

inline std::vector<Tensor> activation_gradient(const Op& grad, const Backward& node) {
  const Tensor x = node.inputs[0];
  std::vector<Tensor> inputs = {x, node.output_grads[0]};
  inputs.insert(inputs.end(), node.inputs.begin() + 1, node.inputs.end());
  std::vector<Tensor> grads(node.inputs.size());
  grads[0] = x.graph().append(grad, inputs, {{f32, x.shape()}}, *node.params)[0];
  return grads;
}

/// Inputs: x, dy, and the step if there was a dropout. The result may overwrite x or dy.
inline void run_activation_grad(const Launch& launch,
                                void (*gradient)(int64_t n, const float* x, const float* dy, float* dx)) {
  const View& x = launch.inputs[0];
  const bool drops = launch.inputs.size() > 2;
  const kernels::DropoutMask mask =
      drops ? mask_at(launch.get<MaskParams>(), launch.inputs[2].i32()[0]) : kernels::DropoutMask{};
  parallel_ranges(*launch.pool, x.size(), kActivationPiece, [&](int64_t begin, int64_t end) {
    const float* dy = launch.inputs[1].f32() + begin;
    std::array<float, kActivationPiece> dropped;
    if (drops) kernels::kernels().dropout(end - begin, begin, mask, dy, dropped.data());
    gradient(end - begin, x.f32() + begin, drops ? dropped.data() : dy, launch.outputs[0].f32() + begin);
  });
}

}  // namespace tinyllm
