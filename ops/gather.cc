#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/indices.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// gather and scatter_add are gradients of each other.
namespace tinyllm {
namespace {

struct Params {
  int axis;
};

void run_gather(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& indices = launch.inputs[1];
  const AlongAxis axis(x.shape, launch.get<Params>().axis);
  check_indices("gather", "index", indices, axis.n);
  const int64_t rows = indices.shape[launch.get<Params>().axis];
  const auto* source = static_cast<const uint32_t*>(x.data);
  auto* target = static_cast<uint32_t*>(launch.outputs[0].data);
  parallel_ranges(*launch.pool, axis.outer * rows, row_grain(axis.inner), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const uint32_t* from = source + row / rows * axis.n * axis.inner;
      const int64_t first = row * axis.inner;
      for (int64_t i = 0; i < axis.inner; ++i) {
        target[first + i] = from[indices.i32()[first + i] * axis.inner + i];
      }
    }
  });
}

std::vector<Tensor> gather_gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return {
      x.graph().append(kGatherGrad, {node.inputs[1], node.output_grads[0]}, {{f32, x.shape()}}, node.get<Params>())[0],
      {}};
}

template <class Init>
void scatter(const char* op, const Launch& launch, const View& indices, const View& values, Init init) {
  const View& y = launch.outputs[0];
  const int axis = launch.get<Params>().axis;
  scatter_rows(*launch.pool, {op, "index", AlongAxis(y.shape, axis), indices.shape[axis], indices, false}, values.f32(),
               y.f32(), init);
}

void run_gather_grad(const Launch& launch) {
  float* y = launch.outputs[0].f32();
  scatter("gather", launch, launch.inputs[0], launch.inputs[1],
          [&](int64_t at, int64_t n) { std::fill_n(y + at, n, 0.0f); });
}

void run_scatter_add(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  scatter("scatter_add", launch, launch.inputs[1], launch.inputs[2], [&](int64_t at, int64_t n) {
    if (x != y) std::copy_n(x + at, n, y + at);
  });
}

std::vector<Tensor> scatter_add_gradient(const Backward& node) {
  return {node.output_grads[0], {}, gather(node.output_grads[0], node.get<Params>().axis, node.inputs[1])};
}

// Whether the shapes agree but for one axis.
bool agree_beside(const Shape& a, const Shape& b, int axis) {
  return a.rank() == b.rank() && a.with(axis, 0) == b.with(axis, 0);
}

}  // namespace

const Op kGather{.name = "gather", .run = run_gather, .gradient = gather_gradient};
const Op kGatherGrad{.name = "gather_grad", .run = run_gather_grad};
const Op kScatterAdd{.name = "scatter_add", .run = run_scatter_add, .gradient = scatter_add_gradient, .in_place = 1};

Tensor gather(Tensor x, int axis, Tensor indices) {
  check_words("gather", x);
  check_i32("gather", {indices});
  axis = x.shape().axis(axis);
  if (!agree_beside(x.shape(), indices.shape(), axis)) {
    throw Error("gather: x {} and indices {}: expected the same extents, but for axis {}", x.str(), indices.str(),
                axis);
  }
  return x.graph().append(kGather, {x, indices}, {{x.type(), indices.shape()}}, Params{axis})[0];
}

Tensor scatter_add(Tensor x, int axis, Tensor indices, Tensor values) {
  check_f32("scatter_add", {x, values});
  check_i32("scatter_add", {indices});
  axis = x.shape().axis(axis);
  if (!agree_beside(x.shape(), indices.shape(), axis)) {
    throw Error("scatter_add: x {} and indices {}: expected the same extents, but for axis {}", x.str(), indices.str(),
                axis);
  }
  check_shape("scatter_add", values, indices.shape());
  return x.graph().append(kScatterAdd, {x, indices, values}, {{f32, x.shape()}}, Params{axis})[0];
}

}  // namespace tinyllm
