#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/fold.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

using Params = FoldShape;  // A sum over everything is [1, n, 1].

// Long sums of neighbours: each piece of kPiece elements has a partial sum in double. These are added up in order.
constexpr int64_t kPiece = 65536;
int64_t pieces_of(const Params& p) { return p.outer * ceil_div(p.n, kPiece); }

size_t workspace(const Node& node, const Graph&, int) {
  const Params& params = std::any_cast<const Params&>(node.params);
  if (params.inner == 1) return static_cast<size_t>(pieces_of(params)) * sizeof(double);
  const int64_t groups = fold_groups_of(params);
  return groups == 1 ? 0 : static_cast<size_t>(params.outer * groups * params.inner) * sizeof(float);
}

void sum_neighbours(const Launch& launch, const Params& p) {
  const float* x = launch.inputs[0].f32();
  auto* partial = static_cast<double*>(launch.workspace);
  const int64_t pieces = ceil_div(p.n, kPiece);
  parallel_ranges(*launch.pool, p.outer * pieces, row_grain(std::min(p.n, kPiece)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t from = i % pieces * kPiece;
      partial[i] = kernels::kernels().sum(std::min(kPiece, p.n - from), x + i / pieces * p.n + from);
    }
  });
  for (int64_t row = 0; row < p.outer; ++row) {
    double total = 0;
    for (int64_t i = 0; i < pieces; ++i) total += partial[row * pieces + i];
    launch.outputs[0].f32()[row] = static_cast<float>(total);
  }
}

void run(const Launch& launch) {
  const Params& params = launch.get<Params>();
  if (params.inner == 1) {
    sum_neighbours(launch, params);
  } else {
    fold_rows(*launch.pool, params, kernels::kernels().binary.add, 0.0f, launch.inputs[0].f32(),
              static_cast<float*>(launch.workspace), launch.outputs[0].f32());
  }
}

// Every summand gets the gradient of its sum.
std::vector<Tensor> gradient(const Backward& node) {
  const auto [outer, n, inner] = node.get<Params>();
  const Shape& x = node.inputs[0].shape();
  const Tensor repeated = broadcast_to(reshape(node.output_grads[0], {outer, 1, inner}), {outer, n, inner});
  return {reshape(repeated, {x.begin(), x.end()})};
}

}  // namespace

const Op kSum{.name = "sum", .run = run, .gradient = gradient, .workspace = workspace};

Tensor sum(Tensor x) {
  check_f32("sum", {x});
  return x.graph().append(kSum, {x}, {{f32, {1}}}, Params{1, x.shape().size(), 1})[0];
}

Tensor sum(Tensor x, int axis) {
  check_f32("sum", {x});
  axis = x.shape().axis(axis);
  std::vector<int64_t> extents(x.shape().begin(), x.shape().end());
  extents.erase(extents.begin() + axis);
  const Params params{x.shape().size(0, axis), x.shape()[axis], x.shape().size(axis + 1, x.shape().rank())};
  return x.graph().append(kSum, {x}, {{f32, Shape{std::span<const int64_t>(extents)}}}, params)[0];
}

Tensor sum(Tensor x, const std::vector<int>& axes, bool keep_dims) {
  check_f32("sum", {x});
  return reduce_axes("sum", x, axes, keep_dims, [](Tensor run) { return sum(run, 1); });
}

namespace {

Tensor divided(Tensor total, Tensor x) {
  if (total.shape().size() == 0) return total;
  const int64_t count = x.shape().size() / total.shape().size();
  if (count == 0) throw Error("mean: {}: nothing to average", x.str());
  return scale(total, 1.0f / static_cast<float>(count));
}

}  // namespace

Tensor mean(Tensor x) { return divided(sum(x), x); }
Tensor mean(Tensor x, int axis) { return divided(sum(x, axis), x); }
Tensor mean(Tensor x, const std::vector<int>& axes, bool keep_dims) { return divided(sum(x, axes, keep_dims), x); }

Tensor var(Tensor x, const std::vector<int>& axes, bool keep_dims, int64_t correction) {
  const Tensor total = sum(square(x - mean(x, axes, true)), axes, keep_dims);
  if (total.shape().size() == 0) return total;
  const int64_t count = x.shape().size() / total.shape().size();
  if (count <= correction)
    throw Error("var: {}: {} elements and correction {}, expected more elements", x.str(), count, correction);
  return total / static_cast<double>(count - correction);
}

}  // namespace tinyllm
