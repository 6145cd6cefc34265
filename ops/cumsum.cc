#include <tinyllm/ops/detail/along_axis.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// A row is cut into pieces. Each has its sum in double, and begins with the sum of those before it.
constexpr int64_t kPiece = 65536;

size_t workspace(const Node& node, const Graph& graph, int) {
  const Shape& x = graph.value(node.inputs[0]).shape;
  return static_cast<size_t>(x.rows() * ceil_div(x.row(), kPiece)) * sizeof(double);
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  float* y = launch.outputs[0].f32();
  auto* sums = static_cast<double*>(launch.workspace);
  const int64_t n = x.shape.row(), pieces = ceil_div(n, kPiece), count = x.shape.rows() * pieces;
  const int64_t grain = row_grain(std::min(n, kPiece));
  const auto begin_of = [&](int64_t piece) { return piece / pieces * n + piece % pieces * kPiece; };
  const auto size_of = [&](int64_t piece) { return std::min(kPiece, n - piece % pieces * kPiece); };
  if (pieces > 1) {
    parallel_ranges(*launch.pool, count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) sums[i] = kernels::kernels().sum(size_of(i), x.f32() + begin_of(i));
    });
  }
  parallel_ranges(*launch.pool, count, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double total = 0;
      for (int64_t before = i / pieces * pieces; before < i; ++before) total += sums[before];
      for (int64_t at = begin_of(i); at < begin_of(i) + size_of(i); ++at) {
        total += x.f32()[at];
        y[at] = static_cast<float>(total);
      }
    }
  });
}

// An element is in the sums from its own on.
std::vector<Tensor> gradient(const Backward& node) { return {flip(cumsum(flip(node.output_grads[0], -1), -1), -1)}; }

}  // namespace

const Op kCumsum{.name = "cumsum", .run = run, .gradient = gradient, .workspace = workspace, .in_place = 1};

Tensor cumsum(Tensor x, int axis) {
  check_f32("cumsum", {x});
  return along_last(x, axis, [](Tensor rows) {
    return rows.graph().append(kCumsum, {rows}, {{f32, rows.shape()}})[0];
  });
}

}  // namespace tinyllm
