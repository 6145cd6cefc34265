#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// The elementwise functions of two f32 tensors.
namespace tinyllm {
namespace {

template <kernels::Combine<float> kernels::Binary::*kernel>
void run(const Launch& launch) {
  run_broadcast(launch, kernels::kernels().binary.*kernel);
}

Tensor append(const Op& op, Tensor x, Tensor y) {
  check_f32(op.name, {x, y});
  return x.graph().append(op, {x, y}, {{f32, broadcast_shape(op.name, {x, y})}})[0];
}

// A number as a tensor of the graph of x.
Tensor number(std::string_view op, Tensor x, double value) {
  check_f32(op, {x});
  return x.graph().constant(static_cast<float>(value), Shape{});
}

// Gradients for x and y, of the result's shape, summed to the shapes of x and y.
std::vector<Tensor> reduced(const Backward& node, Tensor dx, Tensor dy) {
  return {reduce_to(dx, node.inputs[0].shape()), reduce_to(dy, node.inputs[1].shape())};
}

std::vector<Tensor> add_gradient(const Backward& node) {
  return reduced(node, node.output_grads[0], node.output_grads[0]);
}

std::vector<Tensor> sub_gradient(const Backward& node) {
  return reduced(node, node.output_grads[0], neg(node.output_grads[0]));
}

std::vector<Tensor> mul_gradient(const Backward& node) {
  const Tensor d = node.output_grads[0];
  return reduced(node, mul(d, node.inputs[1]), mul(d, node.inputs[0]));
}

// d(x/y)/dy = -(x/y) / y.
std::vector<Tensor> div_gradient(const Backward& node) {
  const Tensor y = node.inputs[1];
  const Tensor dx = div(node.output_grads[0], y);
  return reduced(node, dx, neg(mul(dx, node.outputs[0])));
}

// d(x^y)/dx = y x^(y - 1), which is 0 where y is 0; d(x^y)/dy = x^y log x, which is taken as 0 where x is 0.
std::vector<Tensor> pow_gradient(const Backward& node) {
  const Tensor x = node.inputs[0], y = node.inputs[1], d = node.output_grads[0];
  const Tensor zero = number("pow", d, 0), one = number("pow", d, 1);
  const Tensor slope = where(equal(y, zero), zero, mul(y, pow(x, sub(y, one))));
  return reduced(node, mul(d, slope), mul(d, where(equal(x, zero), zero, mul(node.outputs[0], log(x)))));
}

// All of it to the argument that was taken; to x if they are equal.
std::vector<Tensor> taken_gradient(const Backward& node, Tensor takes_x) {
  const Tensor d = node.output_grads[0], zero = number("where", d, 0);
  return reduced(node, where(takes_x, d, zero), where(takes_x, zero, d));
}
std::vector<Tensor> minimum_gradient(const Backward& node) {
  return taken_gradient(node, less_equal(node.inputs[0], node.inputs[1]));
}
std::vector<Tensor> maximum_gradient(const Backward& node) {
  return taken_gradient(node, greater_equal(node.inputs[0], node.inputs[1]));
}

using kernels::Binary;

}  // namespace

const Op kAdd{.name = "add", .run = run<&Binary::add>, .gradient = add_gradient, .in_place = 2};
const Op kSub{.name = "sub", .run = run<&Binary::sub>, .gradient = sub_gradient, .in_place = 2};
const Op kMul{.name = "mul", .run = run<&Binary::mul>, .gradient = mul_gradient, .in_place = 2};
const Op kDiv{.name = "div", .run = run<&Binary::div>, .gradient = div_gradient, .in_place = 2};
const Op kPow{.name = "pow", .run = run<&Binary::pow>, .gradient = pow_gradient, .in_place = 2};
const Op kMinimum{.name = "minimum", .run = run<&Binary::minimum>, .gradient = minimum_gradient, .in_place = 2};
const Op kMaximum{.name = "maximum", .run = run<&Binary::maximum>, .gradient = maximum_gradient, .in_place = 2};

Tensor add(Tensor x, Tensor y) { return append(kAdd, x, y); }
Tensor sub(Tensor x, Tensor y) { return append(kSub, x, y); }
Tensor mul(Tensor x, Tensor y) { return append(kMul, x, y); }
Tensor div(Tensor x, Tensor y) { return append(kDiv, x, y); }
Tensor pow(Tensor x, Tensor y) { return append(kPow, x, y); }
Tensor minimum(Tensor x, Tensor y) { return append(kMinimum, x, y); }
Tensor maximum(Tensor x, Tensor y) { return append(kMaximum, x, y); }

Tensor pow(Tensor x, double y) { return pow(x, number("pow", x, y)); }

Tensor operator+(Tensor x, Tensor y) { return add(x, y); }
Tensor operator+(Tensor x, double y) { return add(x, number("add", x, y)); }
Tensor operator+(double x, Tensor y) { return add(number("add", y, x), y); }
Tensor operator-(Tensor x, Tensor y) { return sub(x, y); }
Tensor operator-(Tensor x, double y) { return sub(x, number("sub", x, y)); }
Tensor operator-(double x, Tensor y) { return sub(number("sub", y, x), y); }
Tensor operator-(Tensor x) { return neg(x); }
Tensor operator*(Tensor x, Tensor y) { return mul(x, y); }
Tensor operator*(Tensor x, double y) { return scale(x, static_cast<float>(y)); }
Tensor operator*(double x, Tensor y) { return scale(y, static_cast<float>(x)); }
Tensor operator/(Tensor x, Tensor y) { return div(x, y); }
Tensor operator/(Tensor x, double y) { return div(x, number("div", x, y)); }
Tensor operator/(double x, Tensor y) { return div(number("div", y, x), y); }

}  // namespace tinyllm
