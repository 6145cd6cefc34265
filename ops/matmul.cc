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

void run(const Launch& launch) {
  const View& a = launch.inputs[0];
  const View& b = launch.inputs[1];
  GemmShape shape = gemm_shape(a.shape, b.shape, b.type, launch.get<MatmulOptions>());
  shape.precision = launch.precision;
  const int64_t batch = a.shape.size(0, a.shape.rank() - 2);
  for (int64_t i = 0; i < batch; ++i) {
    const void* factor = b.type.is_packed() ? b.data : b.f32() + i * shape.k * shape.n;
    gemm(shape, a.f32() + i * shape.m * shape.k, factor, nullptr, launch.outputs[0].f32() + i * shape.m * shape.n,
         launch.workspace, *launch.pool);
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
// transposed.
std::vector<Tensor> gradient(const Backward& node) {
  const auto [trans_a, trans_b] = node.get<MatmulOptions>();
  const Tensor a = node.inputs[0];
  const Tensor b = node.inputs[1];
  const Tensor dc = node.output_grads[0];
  const Tensor da =
      trans_a ? matmul(b, dc, {.trans_a = trans_b, .trans_b = true}) : matmul(dc, b, {.trans_b = !trans_b});
  if (b.type().is_packed()) return {da, {}};
  const Tensor db =
      trans_b ? matmul(dc, a, {.trans_a = true, .trans_b = trans_a}) : matmul(a, dc, {.trans_a = !trans_a});
  return {da, db};
}

}  // namespace

const Op kMatmul{.name = "matmul", .run = run, .gradient = gradient, .workspace = workspace, .flops = flops};

Tensor matmul(Tensor a, Tensor b, MatmulOptions options) {
  check_f32("matmul", {a});
  if (!b || !b.type().is_packed()) check_f32("matmul", {b});
  const int rank = a.shape().rank();
  if (rank < 2 || b.shape().rank() != rank || !std::equal(a.shape().begin(), a.shape().end() - 2, b.shape().begin())) {
    throw Error("matmul: a {} and b {}: expected [..., M, K] and [..., K, N] with the same leading extents", a.str(),
                b.str());
  }
  const GemmShape shape = gemm_shape(a.shape(), b.shape(), b.type(), options);
  const int64_t b_inner = b.shape()[options.trans_b ? -1 : -2];
  if (shape.k != b_inner) {
    throw Error("matmul: a {}{} and b {}{}: inner sizes differ ({} vs {})", a.str(), options.trans_a ? "^T" : "",
                b.str(), options.trans_b ? "^T" : "", shape.k, b_inner);
  }
  const Shape result = a.shape().with(-2, shape.m).with(-1, shape.n);
  return a.graph().append(kMatmul, {a, b}, {{f32, result}}, options)[0];
}

}  // namespace tinyllm
