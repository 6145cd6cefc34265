#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/fold.h>
#include <tinyllm/ops/detail/workspace.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <limits>
#include <numeric>

// max, min, prod, any and all: reductions that combine two elements to one of the same kind.
namespace tinyllm {
namespace {

using kernels::Binary;
using kernels::Combine;

// Of neighbours, each piece has a partial result, and these are combined in order.
constexpr int64_t kPiece = 65536;

size_t workspace(const Node& node, const Graph&, int) {
  const auto& p = std::any_cast<const AlongAxis&>(node.params);
  const int64_t parts = p.inner == 1 ? p.outer * ceil_div(p.n, kPiece) : fold_scratch(p);
  return static_cast<size_t>(parts) * sizeof(float);
}

template <class T>
void fold(const Launch& launch, Combine<T> combine, T start) {
  const auto& p = launch.get<AlongAxis>();
  const T* x = static_cast<const T*>(launch.inputs[0].data);
  T* partial = static_cast<T*>(launch.workspace);
  T* y = static_cast<T*>(launch.outputs[0].data);
  if (p.inner != 1) return fold_rows(*launch.pool, p, combine, start, x, partial, y);
  const int64_t pieces = ceil_div(p.n, kPiece);
  parallel_ranges(*launch.pool, p.outer * pieces, row_grain(std::min(p.n, kPiece)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % pieces * kPiece;
      partial[i] = fold_neighbours(std::min(kPiece, p.n - from), combine, start, x + i / pieces * p.n + from);
    }
  });
  for (int64_t row = 0; row < p.outer; ++row) {
    y[row] = pieces == 0 ? start : fold_neighbours(pieces, combine, start, partial + row * pieces);
  }
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();
void run_max(const Launch& launch) { fold(launch, kernels::kernels().binary.maximum, -kInfinity); }
void run_min(const Launch& launch) { fold(launch, kernels::kernels().binary.minimum, kInfinity); }
void run_prod(const Launch& launch) { fold(launch, kernels::kernels().binary.mul, 1.0f); }
void run_any(const Launch& launch) { fold<int32_t>(launch, kernels::kernels().binary.logical_or, 0); }
void run_all(const Launch& launch) { fold<int32_t>(launch, kernels::kernels().binary.logical_and, 1); }

// Calls `f(first, stride)` for every line of n elements that is reduced: where it begins, and from one to the next. The
// lines of a task are neighbours.
template <class F>
void for_each_line(const Launch& launch, const AlongAxis& p, F f) {
  parallel_ranges(*launch.pool, p.outer * p.inner, row_grain(p.n), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) f(line, line / p.inner * p.n * p.inner + line % p.inner);
  });
}

// dx is dy at the first element that is the result (or NaN), and 0 elsewhere. Inputs: x, y, dy.
void run_extreme_grad(const Launch& launch) {
  const auto& p = launch.get<AlongAxis>();
  const float *x = launch.inputs[0].f32(), *y = launch.inputs[1].f32(), *dy = launch.inputs[2].f32();
  float* dx = launch.outputs[0].f32();
  for_each_line(launch, p, [&](int64_t line, int64_t first) {
    bool found = false;
    for (int64_t i = first, k = 0; k < p.n; ++k, i += p.inner) {
      const bool wins = !found && (x[i] == y[line] || x[i] != x[i]);
      dx[i] = wins ? dy[line] : 0.0f;
      found = found || wins;
    }
  });
}

// dx is dy times the product of the others: of those before and of those after. Inputs: x, dy.
void run_prod_grad(const Launch& launch) {
  const auto& p = launch.get<AlongAxis>();
  const float *x = launch.inputs[0].f32(), *dy = launch.inputs[1].f32();
  float* dx = launch.outputs[0].f32();
  for_each_line(launch, p, [&](int64_t line, int64_t first) {
    float product = dy[line];
    for (int64_t i = first, k = 0; k < p.n; ++k, i += p.inner) {
      dx[i] = product;
      product *= x[i];
    }
    product = 1;
    for (int64_t i = first + (p.n - 1) * p.inner, k = 0; k < p.n; ++k, i -= p.inner) {
      dx[i] *= product;
      product *= x[i];
    }
  });
}

std::vector<Tensor> extreme_gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return {
      x.graph().append(kExtremeGrad, {x, node.outputs[0], node.output_grads[0]}, {{f32, x.shape()}}, *node.params)[0]};
}

std::vector<Tensor> prod_gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return {x.graph().append(kProdGrad, {x, node.output_grads[0]}, {{f32, x.shape()}}, *node.params)[0]};
}

Tensor append(const Op& op, Type type, Tensor x, const std::vector<int>& axes, bool keep_dims) {
  check_type(op.name, {x}, type);
  if (&op == &kMax || &op == &kMin) check_not_empty(op.name, x, axes);
  return reduce_axes(op.name, x, axes, keep_dims, [&](Tensor run) {
    const Shape& s = run.shape();
    return run.graph().append(op, {run}, {{type, {s[0], s[2]}}}, AlongAxis(s, 1))[0];
  });
}

Tensor over_all(const Op& op, Type type, Tensor x) {
  check_type(op.name, {x}, type);
  std::vector<int> axes(static_cast<size_t>(x.shape().rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return reshape(append(op, type, x, axes, false), {1});
}

}  // namespace

const Op kMax{.name = "max", .run = run_max, .gradient = extreme_gradient, .workspace = workspace};
const Op kMin{.name = "min", .run = run_min, .gradient = extreme_gradient, .workspace = workspace};
const Op kExtremeGrad{.name = "extreme_grad", .run = run_extreme_grad};
const Op kProd{.name = "prod", .run = run_prod, .gradient = prod_gradient, .workspace = workspace};
const Op kProdGrad{.name = "prod_grad", .run = run_prod_grad};
const Op kAny{.name = "any", .run = run_any, .gradient = no_gradient, .workspace = workspace};
const Op kAll{.name = "all", .run = run_all, .gradient = no_gradient, .workspace = workspace};

Tensor max(Tensor x, const std::vector<int>& axes, bool keep_dims) { return append(kMax, f32, x, axes, keep_dims); }
Tensor min(Tensor x, const std::vector<int>& axes, bool keep_dims) { return append(kMin, f32, x, axes, keep_dims); }
Tensor prod(Tensor x, const std::vector<int>& axes, bool keep_dims) { return append(kProd, f32, x, axes, keep_dims); }
Tensor any(Tensor x, const std::vector<int>& axes, bool keep_dims) { return append(kAny, i32, x, axes, keep_dims); }
Tensor all(Tensor x, const std::vector<int>& axes, bool keep_dims) { return append(kAll, i32, x, axes, keep_dims); }

Tensor max(Tensor x) { return over_all(kMax, f32, x); }
Tensor min(Tensor x) { return over_all(kMin, f32, x); }
Tensor prod(Tensor x) { return over_all(kProd, f32, x); }
Tensor any(Tensor x) { return over_all(kAny, i32, x); }
Tensor all(Tensor x) { return over_all(kAll, i32, x); }

}  // namespace tinyllm
