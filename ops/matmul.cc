#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

GemmShape gemm_shape(const Shape& a, const Shape& b, Type b_type, const MatmulOptions& options) {
  return {.m = a[options.trans_a ? -1 : -2],
          .n = b[options.trans_b ? -2 : -1],
          .k = a[options.trans_a ? -2 : -1],
          .trans_a = options.trans_a,
          .trans_b = options.trans_b,
          .b_type = b_type};
}

// The number of the matrix of `shape` that product `i` of `result` reads.
int64_t matrix_of(const Shape& shape, const Shape& result, int64_t i) {
  int64_t matrix = 0, stride = 1;
  for (int axis = result.rank() - 3; axis >= 0; --axis) {
    const int64_t extent = aligned_extent(shape, axis, result.rank());
    if (extent != 1) matrix += i % result[axis] * stride;
    stride *= extent;
    i /= result[axis];
  }
  return matrix;
}

void run(const Launch& launch) {
  const View& a = launch.inputs[0];
  const View& b = launch.inputs[1];
  const View& c = launch.outputs[0];
  GemmShape shape = gemm_shape(a.shape, b.shape, b.type, launch.get<MatmulOptions>());
  shape.precision = launch.precision;
  for (int64_t i = 0; i < c.shape.size(0, c.shape.rank() - 2); ++i) {
    const void* factor = b.type.is_packed() ? b.data : b.f32() + matrix_of(b.shape, c.shape, i) * shape.k * shape.n;
    gemm(shape, a.f32() + matrix_of(a.shape, c.shape, i) * shape.m * shape.k, factor, nullptr,
         c.f32() + i * shape.m * shape.n, launch.workspace, *launch.pool);
  }
}

size_t workspace(const Node& node, const Graph& graph, int workers) {
  const Value& b = graph.value(node.inputs[1]);
  return gemm_workspace(
      gemm_shape(graph.value(node.inputs[0]).shape, b.shape, b.type, std::any_cast<const MatmulOptions&>(node.params)),
      workers);
}

double flops(const Node& node, const Graph& graph) {
  const int64_t inner =
      graph.value(node.inputs[0]).shape[std::any_cast<const MatmulOptions&>(node.params).trans_a ? -2 : -1];
  const Shape& c = graph.value(node.outputs[0]).shape;
  return gemm_flops(c.rows(), c.row(), inner);
}

// With C = op(A) op(B) and G = dC: d op(A) = G op(B)^T and d op(B) = op(A)^T G, transposed back if the input is
// transposed, and summed over the matrices of the result that read one matrix.
std::vector<Tensor> gradient(const Backward& node) {
  const auto [trans_a, trans_b] = node.get<MatmulOptions>();
  const Tensor a = node.inputs[0];
  const Tensor b = node.inputs[1];
  const Tensor dc = node.output_grads[0];
  if (b.type().is_packed()) {  // It can only be the second factor.
    const Tensor d = matmul(dc, b, {.trans_b = !trans_b});
    return {reduce_to(trans_a ? transpose(d, -1, -2) : d, a.shape()), {}};
  }
  const Tensor da =
      trans_a ? matmul(b, dc, {.trans_a = trans_b, .trans_b = true}) : matmul(dc, b, {.trans_b = !trans_b});
  const Tensor db =
      trans_b ? matmul(dc, a, {.trans_a = true, .trans_b = trans_a}) : matmul(a, dc, {.trans_a = !trans_a});
  return {reduce_to(da, a.shape()), reduce_to(db, b.shape())};
}

}  // namespace

const Op kMatmul{.name = "matmul", .run = run, .gradient = gradient, .workspace = workspace, .flops = flops};

Tensor matmul(Tensor a, Tensor b, MatmulOptions options) {
  check_f32("matmul", {a});
  if (!b || !b.type().is_packed()) check_f32("matmul", {b});
  const int rank = std::max(a.shape().rank(), b.shape().rank());
  std::vector<int64_t> extents;
  bool fits = a.shape().rank() >= 2 && b.shape().rank() >= 2;
  for (int i = 0; fits && i < rank - 2; ++i) {
    const int64_t of_a = aligned_extent(a.shape(), i, rank), of_b = aligned_extent(b.shape(), i, rank);
    fits = of_a == of_b || of_a == 1 || of_b == 1;
    extents.push_back(of_a == 1 ? of_b : of_a);
  }
  if (!fits) {
    throw Error("matmul: a {} and b {}: expected [..., M, K] and [..., K, N] with leading extents that are equal or 1",
                a.str(), b.str());
  }
  const GemmShape shape = gemm_shape(a.shape(), b.shape(), b.type(), options);
  const int64_t b_inner = b.shape()[options.trans_b ? -1 : -2];
  if (shape.k != b_inner) {
    throw Error("matmul: a {}{} and b {}{}: inner sizes differ ({} vs {})", a.str(), options.trans_a ? "^T" : "",
                b.str(), options.trans_b ? "^T" : "", shape.k, b_inner);
  }
  extents.insert(extents.end(), {shape.m, shape.n});
  const Shape result{std::span<const int64_t>(extents)};
  if (rank > 2 && !options.trans_a && b.shape().rank() == 2) {  // One product of all rows.
    const Tensor rows = reshape(a, {a.shape().rows(), shape.k});
    return reshape(matmul(rows, b, options), {result.begin(), result.end()});
  }
  return a.graph().append(kMatmul, {a, b}, {{f32, result}}, options)[0];
}

}  // namespace tinyllm
