#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  Activation activation;
};

GemmShape gemm_shape(const Shape& x, const Shape& w, Type type, Activation activation,
                     Precision precision = Precision::fp32) {
  return {.m = x.rows(),
          .n = w[0],
          .k = w[1],
          .trans_b = true,
          .activation = activation,
          .precision = precision,
          .b_type = type};
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& w = launch.inputs[1];
  const float* bias = launch.inputs.size() > 2 ? launch.inputs[2].f32() : nullptr;
  gemm(gemm_shape(x.shape, w.shape, w.type, launch.get<Params>().activation, launch.precision), x.f32(), w.data, bias,
       launch.outputs[0].f32(), launch.workspace, *launch.pool);
}

size_t workspace(const Node& node, const Graph& graph, int workers) {
  const Activation activation = std::any_cast<const Params&>(node.params).activation;
  const Value& w = graph.value(node.inputs[1]);
  return gemm_workspace(gemm_shape(graph.value(node.inputs[0]).shape, w.shape, w.type, activation), workers);
}

double flops(const Node& node, const Graph& graph) {
  const Shape& w = graph.value(node.inputs[1]).shape;
  return gemm_flops(graph.value(node.inputs[0]).shape.rows(), w[0], w[1]);
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  const Tensor w = node.inputs[1];
  const Tensor bias = node.inputs.size() > 2 ? node.inputs[2] : Tensor{};
  Tensor dy = node.output_grads[0];
  switch (node.get<Params>().activation) {
    case Activation::none:
      break;
    case Activation::silu:
      dy = append_gradient(kSiluGrad, linear(x, w, bias, Activation::none, PackedInput::exact), dy);
      break;
    case Activation::gelu:
      dy = append_gradient(kGeluGrad, linear(x, w, bias, Activation::none, PackedInput::exact), dy);
      break;
  }
  const Tensor rows = reshape(dy, {x.shape().rows(), w.shape()[0]});
  const Tensor dx = reshape(matmul(rows, w), {x.shape().begin(), x.shape().end()});
  Tensor dw;
  if (!w.type().is_packed()) dw = matmul(rows, reshape(x, {x.shape().rows(), w.shape()[1]}), {.trans_a = true});
  if (!bias) return {dx, dw};
  return {dx, dw, sum(rows, 0)};
}

}  // namespace

const Op kLinear{.name = "linear", .run = run, .gradient = gradient, .workspace = workspace, .flops = flops};

Tensor linear(Tensor x, Tensor w, Tensor bias, Activation activation, PackedInput input) {
  check_f32("linear", {x});
  if (!w) throw Error("linear: an input is empty");
  const bool is_packed = w.type().is_packed();
  if (!is_packed && w.type() != f32) {
    throw Error("linear: {} is {}, expected f32 or a packed matrix (ops/quantized.h)", w.str(), w.type().str());
  }
  if (x.shape().rank() < 1 || w.shape().rank() != 2) {
    throw Error("linear: x {} and w {}: expected x [..., K] and w [N, K]", x.str(), w.str());
  }
  if (x.shape().row() != w.shape()[1]) {
    throw Error("linear: x {} and w {}: inner sizes differ ({} vs {})", x.str(), w.str(), x.shape().row(),
                w.shape()[1]);
  }
  std::vector<Tensor> inputs = {x, w};
  if (bias) {
    check_f32("linear", {bias});
    if (bias.shape() != Shape{w.shape()[0]}) {
      throw Error("linear: bias {}: expected [{}] for w {}", bias.str(), w.shape()[0], w.str());
    }
    inputs.push_back(bias);
  }
  const std::vector<Graph::Output> output = {{f32, x.shape().with(-1, w.shape()[0])}};
  if (!is_packed || input == PackedInput::exact)
    return x.graph().append(kLinear, inputs, output, Params{activation})[0];
  const Tensor y = x.graph().append(kPackedLinear, inputs, output)[0];
  if (activation == Activation::none) return y;
  return activation == Activation::silu ? silu(y) : gelu(y);
}

}  // namespace tinyllm
