#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// x as [outer, n, inner], summed over n. A sum over everything is [1, n, 1].
struct Params {
  int64_t outer, n, inner;
};

// Long sums of neighbours: each piece of kPiece elements has a partial sum in double. These are added up in order.
constexpr int64_t kPiece = 65536;
int64_t pieces_of(const Params& p) { return p.outer * ceil_div(p.n, kPiece); }

// Sums of rows: each group of kGroup rows has a partial sum, and these are added up in order. This keeps long sums
// accurate in single precision. A task is some columns of a group, whose sums stay in the L1 cache.
constexpr int64_t kGroup = 64;
constexpr int64_t kColumns = 4096;
int64_t groups_of(const Params& p) { return std::max<int64_t>(1, ceil_div(p.n, kGroup)); }

size_t workspace(const Node& node, const Graph&, int) {
  const Params& params = std::any_cast<const Params&>(node.params);
  if (params.inner == 1) return static_cast<size_t>(pieces_of(params)) * sizeof(double);
  const int64_t groups = groups_of(params);
  return groups == 1 ? 0 : static_cast<size_t>(params.outer * groups * params.inner) * sizeof(float);
}

void sum_neighbours(const Launch& launch, const Params& p) {
  const float* x = launch.inputs[0].f32();
  auto* partial = static_cast<double*>(launch.workspace);
  const int64_t pieces = ceil_div(p.n, kPiece);
  launch.pool->parallel_for(p.outer * pieces, [&](int64_t piece) {
    const int64_t begin = piece % pieces * kPiece;
    partial[piece] = kernels::kernels().sum(std::min(kPiece, p.n - begin), x + piece / pieces * p.n + begin);
  });
  for (int64_t row = 0; row < p.outer; ++row) {
    double total = 0;
    for (int64_t i = 0; i < pieces; ++i) total += partial[row * pieces + i];
    launch.outputs[0].f32()[row] = static_cast<float>(total);
  }
}

// x is [outer, n, inner] and y [outer, groups, inner]: row g of y is the sum of rows [g size, (g + 1) size) of x.
void sum_groups(ThreadPool& pool, const Params& p, int64_t size, int64_t groups, const float* x, float* y) {
  const int64_t strips = ceil_div(p.inner, kColumns);
  pool.parallel_for(p.outer * groups * strips, [&](int64_t piece) {
    const int64_t column = piece % strips * kColumns;
    const int64_t columns = std::min(kColumns, p.inner - column);
    const int64_t group = piece / strips % groups;
    const int64_t outer = piece / strips / groups;
    float* total = y + (outer * groups + group) * p.inner + column;
    std::fill_n(total, columns, 0.0f);
    for (int64_t row = group * size; row < std::min(p.n, (group + 1) * size); ++row) {
      kernels::kernels().binary.add(columns, total, x + (outer * p.n + row) * p.inner + column, total);
    }
  });
}

void sum_rows(const Launch& launch, const Params& p) {
  const int64_t groups = groups_of(p);
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  if (groups == 1) return sum_groups(*launch.pool, p, kGroup, 1, x, y);
  auto* partial = static_cast<float*>(launch.workspace);
  sum_groups(*launch.pool, p, kGroup, groups, x, partial);
  sum_groups(*launch.pool, {p.outer, groups, p.inner}, groups, 1, partial, y);
}

void run(const Launch& launch) {
  const Params& params = launch.get<Params>();
  if (params.inner == 1) {
    sum_neighbours(launch, params);
  } else {
    sum_rows(launch, params);
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

namespace {

Tensor divided(Tensor total, int64_t count) {
  if (count == 0) throw Error("mean: {}: nothing to average", total.str());
  return scale(total, 1.0f / static_cast<float>(count));
}

}  // namespace

Tensor mean(Tensor x) { return divided(sum(x), x.shape().size()); }
Tensor mean(Tensor x, int axis) { return divided(sum(x, axis), x.shape()[axis]); }

}  // namespace tinyllm
