#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// Comparisons, logic and the choice that they are made for.
namespace tinyllm {
namespace {

using kernels::Binary;

template <kernels::Combine<float, int32_t> Binary::*of_f32, kernels::Combine<int32_t> Binary::*of_i32>
void run_compare(const Launch& launch) {
  if (launch.inputs[0].type == i32) {
    run_broadcast(launch, kernels::kernels().binary.*of_i32);
  } else {
    run_broadcast(launch, kernels::kernels().binary.*of_f32);
  }
}

template <kernels::Combine<int32_t> Binary::*kernel>
void run_logic(const Launch& launch) {
  run_broadcast(launch, kernels::kernels().binary.*kernel);
}

void run_where(const Launch& launch) {
  if (launch.inputs[1].type == i32) {
    run_broadcast(launch, kernels::kernels().binary.where_i32);
  } else {
    run_broadcast(launch, kernels::kernels().binary.where);
  }
}

std::vector<Tensor> where_gradient(const Backward& node) {
  const Tensor condition = node.inputs[0], d = node.output_grads[0];
  const Tensor zero = d.graph().constant(0, Shape{});
  return {{},
          reduce_to(where(condition, d, zero), node.inputs[1].shape()),
          reduce_to(where(condition, zero, d), node.inputs[2].shape())};
}

// Both f32 or both i32.
void check_alike(std::string_view op, Tensor x, Tensor y) {
  check_elements(op, x);
  check_elements(op, y);
  if (x.type() != y.type() || (x.type() != f32 && x.type() != i32)) {
    throw Error("{}: {} is {} and {} is {}, expected both f32 or both i32", op, x.str(), x.type().str(), y.str(),
                y.type().str());
  }
}

Tensor compare(std::string_view name, const Op& op, Tensor x, Tensor y) {
  check_alike(name, x, y);
  return x.graph().append(op, {x, y}, {{i32, broadcast_shape(name, {x, y})}})[0];
}

Tensor combine(const Op& op, Tensor x, Tensor y) {
  check_i32(op.name, {x, y});
  return x.graph().append(op, {x, y}, {{i32, broadcast_shape(op.name, {x, y})}})[0];
}

}  // namespace

const Op kEqual{
    .name = "equal", .run = run_compare<&Binary::equal, &Binary::equal_i32>, .gradient = no_gradient, .in_place = 2};
const Op kNotEqual{.name = "not_equal",
                   .run = run_compare<&Binary::not_equal, &Binary::not_equal_i32>,
                   .gradient = no_gradient,
                   .in_place = 2};
const Op kLess{
    .name = "less", .run = run_compare<&Binary::less, &Binary::less_i32>, .gradient = no_gradient, .in_place = 2};
const Op kLessEqual{.name = "less_equal",
                    .run = run_compare<&Binary::less_equal, &Binary::less_equal_i32>,
                    .gradient = no_gradient,
                    .in_place = 2};
const Op kLogicalAnd{
    .name = "logical_and", .run = run_logic<&Binary::logical_and>, .gradient = no_gradient, .in_place = 2};
const Op kLogicalOr{
    .name = "logical_or", .run = run_logic<&Binary::logical_or>, .gradient = no_gradient, .in_place = 2};
const Op kWhere{.name = "where", .run = run_where, .gradient = where_gradient, .in_place = 3};

Tensor equal(Tensor x, Tensor y) { return compare("equal", kEqual, x, y); }
Tensor not_equal(Tensor x, Tensor y) { return compare("not_equal", kNotEqual, x, y); }
Tensor less(Tensor x, Tensor y) { return compare("less", kLess, x, y); }
Tensor less_equal(Tensor x, Tensor y) { return compare("less_equal", kLessEqual, x, y); }
Tensor greater(Tensor x, Tensor y) { return compare("greater", kLess, y, x); }
Tensor greater_equal(Tensor x, Tensor y) { return compare("greater_equal", kLessEqual, y, x); }
Tensor logical_and(Tensor x, Tensor y) { return combine(kLogicalAnd, x, y); }
Tensor logical_or(Tensor x, Tensor y) { return combine(kLogicalOr, x, y); }

Tensor where(Tensor condition, Tensor x, Tensor y) {
  check_i32("where", {condition});
  check_alike("where", x, y);
  return x.graph().append(kWhere, {condition, x, y}, {{x.type(), broadcast_shape("where", {condition, x, y})}})[0];
}

}  // namespace tinyllm
