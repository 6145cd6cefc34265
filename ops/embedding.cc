#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/indices.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>

#include <cstring>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const View& table = launch.inputs[0];
  const View& tokens = launch.inputs[1];
  const int64_t c = table.shape[1];
  check_indices("embedding", "token", tokens, table.shape[0]);
  parallel_ranges(*launch.pool, tokens.size(), row_grain(c), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      float* row = launch.outputs[0].f32() + i * c;
      if (table.type.is_packed()) {
        dequantize_row(table.type, table.shape, static_cast<const std::byte*>(table.data), tokens.i32()[i], row);
      } else {
        std::memcpy(row, table.f32() + tokens.i32()[i] * c, static_cast<size_t>(c) * sizeof(float));
      }
    }
  });
}

void run_grad(const Launch& launch) {
  const View& tokens = launch.inputs[0];
  float* grad = launch.outputs[0].f32();
  const AlongAxis rows(launch.outputs[0].shape, 0);
  scatter_rows(*launch.pool, {"embedding", "token", rows, tokens.size(), tokens, true}, launch.inputs[1].f32(), grad,
               [&](int64_t at, int64_t n) { std::fill_n(grad + at, n, 0.0f); });
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor table = node.inputs[0];
  check_f32("gradients", {table});
  return {table.graph().append(kEmbeddingGrad, {node.inputs[1], node.output_grads[0]}, {{f32, table.shape()}})[0], {}};
}

}  // namespace

const Op kEmbedding{.name = "embedding", .run = run, .gradient = gradient};
const Op kEmbeddingGrad{.name = "embedding_grad", .run = run_grad};

Tensor embedding(Tensor table, Tensor tokens) {
  if (!table || !table.type().is_packed()) check_f32("embedding", {table});
  check_i32("embedding", {tokens});
  if (table.shape().rank() != 2) throw Error("embedding: table {}: expected [V, C]", table.str());
  std::vector<int64_t> extents(tokens.shape().begin(), tokens.shape().end());
  extents.push_back(table.shape()[1]);
  const Shape shape{std::span<const int64_t>(extents)};
  return table.graph().append(kEmbedding, {table, tokens}, {{f32, shape}})[0];
}

}  // namespace tinyllm
