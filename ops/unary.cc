#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// The elementwise functions of one tensor. A parameter of a node is kernels::Constants.
namespace tinyllm {
namespace {

using kernels::Constants;
using kernels::Unary;
using kernels::UnaryGrad;
using Grads = std::vector<Tensor>;

constexpr int64_t kGrain = 16384;

template <auto kernel>
struct Run;
template <class X, class Y, kernels::Map<X, Y> Unary::*kernel>
struct Run<kernel> {
  static void run(const Launch& launch) {
    const View& x = launch.inputs[0];
    parallel_ranges(*launch.pool, x.size(), kGrain, [&](int64_t begin, int64_t end) {
      (kernels::kernels().unary.*kernel)(end - begin, launch.get<Constants>(), static_cast<const X*>(x.data) + begin,
                                         static_cast<Y*>(launch.outputs[0].data) + begin);
    });
  }
};
template <auto kernel>
constexpr auto run = Run<kernel>::run;

template <UnaryGrad::Grad UnaryGrad::*kernel>
void run_grad(const Launch& launch) {
  const View& x = launch.inputs[0];
  parallel_ranges(*launch.pool, x.size(), kGrain, [&](int64_t begin, int64_t end) {
    (kernels::kernels().unary_grad.*kernel)(end - begin, launch.get<Constants>(), x.f32() + begin,
                                            launch.inputs[1].f32() + begin, launch.outputs[0].f32() + begin);
  });
}

Tensor append(const Op& op, Tensor x, Constants constants = {}, Type from = f32, Type to = f32) {
  check_type(op.name, {x}, from);
  return x.graph().append(op, {x}, {{to, x.shape()}}, constants)[0];
}

Tensor of(const Backward& node) { return node.output_grads[0]; }

// A Grad row that takes (x, dy), or (y, dy) if it is computed from the result.
Tensor append_grad(const Op& op, const Backward& node, Tensor x) {
  return x.graph().append(op, {x, of(node)}, {{f32, x.shape()}}, *node.params)[0];
}
template <const Op& op>
Grads from_x(const Backward& node) {
  return {append_grad(op, node, node.inputs[0])};
}
template <const Op& op>
Grads from_y(const Backward& node) {
  return {append_grad(op, node, node.outputs[0])};
}

Tensor one_more(Tensor x) { return add(x, x.graph().constant(1, Shape{})); }

// d is dy, x the argument and y the result.
Grads neg_gradient(const Backward& n) { return {neg(of(n))}; }
Grads abs_gradient(const Backward& n) { return {mul(of(n), sign(n.inputs[0]))}; }
Grads square_gradient(const Backward& n) { return {scale(mul(of(n), n.inputs[0]), 2)}; }
Grads reciprocal_gradient(const Backward& n) { return {neg(mul(of(n), square(n.outputs[0])))}; }
Grads sqrt_gradient(const Backward& n) { return {scale(div(of(n), n.outputs[0]), 0.5f)}; }
Grads rsqrt_gradient(const Backward& n) { return {scale(mul(of(n), div(n.outputs[0], n.inputs[0])), -0.5f)}; }
Grads exp_gradient(const Backward& n) { return {mul(of(n), n.outputs[0])}; }
Grads expm1_gradient(const Backward& n) { return {mul(of(n), one_more(n.outputs[0]))}; }
Grads log_gradient(const Backward& n) { return {div(of(n), n.inputs[0])}; }
Grads log1p_gradient(const Backward& n) { return {div(of(n), one_more(n.inputs[0]))}; }
Grads sin_gradient(const Backward& n) { return {mul(of(n), cos(n.inputs[0]))}; }
Grads cos_gradient(const Backward& n) { return {neg(mul(of(n), sin(n.inputs[0])))}; }
Grads softplus_gradient(const Backward& n) { return {mul(of(n), sigmoid(n.inputs[0]))}; }

}  // namespace

const Op kNeg{.name = "neg", .run = run<&Unary::neg>, .gradient = neg_gradient, .in_place = 1};
const Op kAbs{.name = "abs", .run = run<&Unary::abs>, .gradient = abs_gradient, .in_place = 1};
const Op kSign{.name = "sign", .run = run<&Unary::sign>, .gradient = no_gradient, .in_place = 1};
const Op kFloor{.name = "floor", .run = run<&Unary::floor>, .gradient = no_gradient, .in_place = 1};
const Op kRound{.name = "round", .run = run<&Unary::round>, .gradient = no_gradient, .in_place = 1};
const Op kSquare{.name = "square", .run = run<&Unary::square>, .gradient = square_gradient, .in_place = 1};
const Op kReciprocal{
    .name = "reciprocal", .run = run<&Unary::reciprocal>, .gradient = reciprocal_gradient, .in_place = 1};
const Op kSqrt{.name = "sqrt", .run = run<&Unary::sqrt>, .gradient = sqrt_gradient, .in_place = 1};
const Op kRsqrt{.name = "rsqrt", .run = run<&Unary::rsqrt>, .gradient = rsqrt_gradient, .in_place = 1};
const Op kExp{.name = "exp", .run = run<&Unary::exp>, .gradient = exp_gradient, .in_place = 1};
const Op kExpm1{.name = "expm1", .run = run<&Unary::expm1>, .gradient = expm1_gradient, .in_place = 1};
const Op kLog{.name = "log", .run = run<&Unary::log>, .gradient = log_gradient, .in_place = 1};
const Op kLog1p{.name = "log1p", .run = run<&Unary::log1p>, .gradient = log1p_gradient, .in_place = 1};
const Op kSin{.name = "sin", .run = run<&Unary::sin>, .gradient = sin_gradient, .in_place = 1};
const Op kCos{.name = "cos", .run = run<&Unary::cos>, .gradient = cos_gradient, .in_place = 1};
const Op kSoftplus{.name = "softplus", .run = run<&Unary::softplus>, .gradient = softplus_gradient, .in_place = 1};

const Op kTanhGrad{.name = "tanh_grad", .run = run_grad<&UnaryGrad::tanh>, .in_place = 2};
const Op kTanh{.name = "tanh", .run = run<&Unary::tanh>, .gradient = from_y<kTanhGrad>, .in_place = 1};
const Op kSigmoidGrad{.name = "sigmoid_grad", .run = run_grad<&UnaryGrad::sigmoid>, .in_place = 2};
const Op kSigmoid{.name = "sigmoid", .run = run<&Unary::sigmoid>, .gradient = from_y<kSigmoidGrad>, .in_place = 1};
const Op kErfGrad{.name = "erf_grad", .run = run_grad<&UnaryGrad::erf>, .in_place = 2};
const Op kErf{.name = "erf", .run = run<&Unary::erf>, .gradient = from_x<kErfGrad>, .in_place = 1};
const Op kReluGrad{.name = "relu_grad", .run = run_grad<&UnaryGrad::relu>, .in_place = 2};
const Op kRelu{.name = "relu", .run = run<&Unary::relu>, .gradient = from_x<kReluGrad>, .in_place = 1};
const Op kReluSquaredGrad{.name = "relu_squared_grad", .run = run_grad<&UnaryGrad::relu_squared>, .in_place = 2};
const Op kReluSquared{
    .name = "relu_squared", .run = run<&Unary::relu_squared>, .gradient = from_x<kReluSquaredGrad>, .in_place = 1};
const Op kHardSwishGrad{.name = "hard_swish_grad", .run = run_grad<&UnaryGrad::hard_swish>, .in_place = 2};
const Op kHardSwish{
    .name = "hard_swish", .run = run<&Unary::hard_swish>, .gradient = from_x<kHardSwishGrad>, .in_place = 1};
const Op kGeluExactGrad{.name = "gelu_exact_grad", .run = run_grad<&UnaryGrad::gelu_exact>, .in_place = 2};
const Op kGeluExact{
    .name = "gelu_exact", .run = run<&Unary::gelu_exact>, .gradient = from_x<kGeluExactGrad>, .in_place = 1};
const Op kLeakyReluGrad{.name = "leaky_relu_grad", .run = run_grad<&UnaryGrad::leaky_relu>, .in_place = 2};
const Op kLeakyRelu{
    .name = "leaky_relu", .run = run<&Unary::leaky_relu>, .gradient = from_x<kLeakyReluGrad>, .in_place = 1};
const Op kEluGrad{.name = "elu_grad", .run = run_grad<&UnaryGrad::elu>, .in_place = 2};
const Op kElu{.name = "elu", .run = run<&Unary::elu>, .gradient = from_x<kEluGrad>, .in_place = 1};
const Op kClampGrad{.name = "clamp_grad", .run = run_grad<&UnaryGrad::clamp>, .in_place = 2};
const Op kClamp{.name = "clamp", .run = run<&Unary::clamp>, .gradient = from_x<kClampGrad>, .in_place = 1};

const Op kIsNan{.name = "is_nan", .run = run<&Unary::is_nan>, .gradient = no_gradient, .in_place = 1};
const Op kLogicalNot{.name = "logical_not", .run = run<&Unary::logical_not>, .gradient = no_gradient, .in_place = 1};

Tensor neg(Tensor x) { return append(kNeg, x); }
Tensor abs(Tensor x) { return append(kAbs, x); }
Tensor sign(Tensor x) { return append(kSign, x); }
Tensor floor(Tensor x) { return append(kFloor, x); }
Tensor round(Tensor x) { return append(kRound, x); }
Tensor square(Tensor x) { return append(kSquare, x); }
Tensor reciprocal(Tensor x) { return append(kReciprocal, x); }
Tensor sqrt(Tensor x) { return append(kSqrt, x); }
Tensor rsqrt(Tensor x) { return append(kRsqrt, x); }
Tensor exp(Tensor x) { return append(kExp, x); }
Tensor expm1(Tensor x) { return append(kExpm1, x); }
Tensor log(Tensor x) { return append(kLog, x); }
Tensor log1p(Tensor x) { return append(kLog1p, x); }
Tensor sin(Tensor x) { return append(kSin, x); }
Tensor cos(Tensor x) { return append(kCos, x); }
Tensor tanh(Tensor x) { return append(kTanh, x); }
Tensor erf(Tensor x) { return append(kErf, x); }
Tensor sigmoid(Tensor x) { return append(kSigmoid, x); }
Tensor softplus(Tensor x) { return append(kSoftplus, x); }
Tensor relu(Tensor x) { return append(kRelu, x); }
Tensor relu_squared(Tensor x) { return append(kReluSquared, x); }
Tensor leaky_relu(Tensor x, float slope) { return append(kLeakyRelu, x, {slope}); }
Tensor elu(Tensor x, float alpha) { return append(kElu, x, {alpha}); }
Tensor hard_swish(Tensor x) { return append(kHardSwish, x); }
Tensor gelu_exact(Tensor x) { return append(kGeluExact, x); }
Tensor is_nan(Tensor x) { return append(kIsNan, x, {}, f32, i32); }
Tensor logical_not(Tensor x) { return append(kLogicalNot, x, {}, i32, i32); }

Tensor clamp(Tensor x, float low, float high) {
  if (!(low <= high)) throw Error("clamp: from {} to {}, expected low <= high", low, high);
  return append(kClamp, x, {low, high});
}

}  // namespace tinyllm
