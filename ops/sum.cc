#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/fold.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  AlongAxis axis;  // A sum over everything is [1, n, 1].
  double divisor;  // Of the sum: n for a mean.
};

// Long sums of neighbours: each piece of kPiece elements has a partial sum in double. These are added up in order.
constexpr int64_t kPiece = 65536;
int64_t pieces_of(const AlongAxis& p) { return p.outer * ceil_div(p.n, kPiece); }

size_t workspace(const Node& node, const Graph&, int) {
  const AlongAxis& p = std::any_cast<const Params&>(node.params).axis;
  if (p.inner == 1) return static_cast<size_t>(pieces_of(p)) * sizeof(double);
  return static_cast<size_t>(fold_scratch(p)) * sizeof(float);
}

void sum_neighbours(const Launch& launch) {
  const auto& [p, divisor] = launch.get<Params>();
  const float* x = launch.inputs[0].f32();
  auto* partial = static_cast<double*>(launch.workspace);
  const int64_t n = p.n, pieces = ceil_div(n, kPiece);
  parallel_ranges(*launch.pool, p.outer * pieces, row_grain(std::min(n, kPiece)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % pieces * kPiece;
      partial[i] = kernels::kernels().sum(std::min(kPiece, n - from), x + i / pieces * n + from);
    }
  });
  for (int64_t row = 0; row < p.outer; ++row) {
    double total = 0;
    for (int64_t i = 0; i < pieces; ++i) total += partial[row * pieces + i];
    launch.outputs[0].f32()[row] = static_cast<float>(total / divisor);
  }
}

void run(const Launch& launch) {
  const auto& [p, divisor] = launch.get<Params>();
  if (p.inner == 1) return sum_neighbours(launch);
  const View& y = launch.outputs[0];
  fold_rows(*launch.pool, p, kernels::kernels().binary.add, 0.0f, launch.inputs[0].f32(),
            static_cast<float*>(launch.workspace), y.f32());
  if (divisor == 1) return;
  parallel_ranges(*launch.pool, y.size(), 16384, [&, by = divisor](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y.f32()[i] = static_cast<float>(y.f32()[i] / by);
  });
}

// Every summand gets the gradient of its sum.
std::vector<Tensor> gradient(const Backward& node) {
  const auto& [p, divisor] = node.get<Params>();
  const Shape& x = node.inputs[0].shape();
  Tensor grad = reshape(node.output_grads[0], {p.outer, 1, p.inner});
  if (divisor != 1) grad = grad / divisor;
  return {reshape(broadcast_to(grad, {p.outer, p.n, p.inner}), {x.begin(), x.end()})};
}

// Of x seen as [outer, n, inner]: [outer, inner].
Tensor append(const Op& op, Tensor x, const AlongAxis& p, const Shape& result) {
  if (&op == &kMean && p.n == 0 && p.outer * p.inner != 0) throw Error("mean: {}: nothing to average", x.str());
  const double divisor = &op == &kMean ? static_cast<double>(p.n) : 1;
  return x.graph().append(op, {x}, {{f32, result}}, Params{p, divisor})[0];
}

Tensor over_all(const Op& op, Tensor x) {
  check_f32(op.name, {x});
  return append(op, x, {1, x.shape().size(), 1}, {1});
}

Tensor over_axis(const Op& op, Tensor x, int axis) {
  check_f32(op.name, {x});
  axis = x.shape().axis(axis);
  std::vector<int64_t> extents(x.shape().begin(), x.shape().end());
  extents.erase(extents.begin() + axis);
  return append(op, x, {x.shape(), axis}, Shape{std::span<const int64_t>(extents)});
}

// A mean of means of as many elements each is the mean.
Tensor over_axes(const Op& op, Tensor x, const std::vector<int>& axes, bool keep_dims) {
  check_f32(op.name, {x});
  return reduce_axes(op.name, x, axes, keep_dims, [&](Tensor run) { return over_axis(op, run, 1); });
}

}  // namespace

const Op kSum{.name = "sum", .run = run, .gradient = gradient, .workspace = workspace};
const Op kMean{.name = "mean", .run = run, .gradient = gradient, .workspace = workspace};

Tensor sum(Tensor x) { return over_all(kSum, x); }
Tensor sum(Tensor x, int axis) { return over_axis(kSum, x, axis); }
Tensor sum(Tensor x, const std::vector<int>& axes, bool keep_dims) { return over_axes(kSum, x, axes, keep_dims); }
Tensor sum(Tensor x, std::initializer_list<int> axes, bool keep_dims) {
  return sum(x, std::vector<int>(axes), keep_dims);
}

Tensor mean(Tensor x) { return over_all(kMean, x); }
Tensor mean(Tensor x, int axis) { return over_axis(kMean, x, axis); }
Tensor mean(Tensor x, const std::vector<int>& axes, bool keep_dims) { return over_axes(kMean, x, axes, keep_dims); }
Tensor mean(Tensor x, std::initializer_list<int> axes, bool keep_dims) {
  return mean(x, std::vector<int>(axes), keep_dims);
}

Tensor var(Tensor x, const std::vector<int>& axes, bool keep_dims, int64_t correction) {
  check_f32("var", {x});
  int64_t count = 1;
  for (const int axis : axes) count *= x.shape()[axis];
  if (count <= correction) {
    throw Error("var: {}: {} elements and correction {}, expected more elements", x.str(), count, correction);
  }
  return sum(square(x - mean(x, axes, true)), axes, keep_dims) / static_cast<double>(count - correction);
}

}  // namespace tinyllm
