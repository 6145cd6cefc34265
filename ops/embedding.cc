#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
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
  for (int64_t i = 0; i < tokens.size(); ++i) {
    const int32_t token = tokens.i32()[i];
    if (token < 0 || token >= table.shape[0]) {
      throw Error("embedding: token {} at position {}, expected 0 to {}", token, i, table.shape[0] - 1);
    }
  }
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

// A task computes some columns of the table's gradient for all tokens, so that sums are in the order of the tokens.
void run_grad(const Launch& launch) {
  const View& tokens = launch.inputs[0];
  const View& dy = launch.inputs[1];
  const View& grad = launch.outputs[0];
  const int64_t c = grad.shape[1];
  parallel_ranges(*launch.pool, c, 64, [&](int64_t begin, int64_t end) {
    const int64_t columns = end - begin;
    for (int64_t row = 0; row < grad.shape[0]; ++row) std::fill_n(grad.f32() + row * c + begin, columns, 0.0f);
    for (int64_t i = 0; i < tokens.size(); ++i) {
      float* to = grad.f32() + tokens.i32()[i] * c + begin;
      kernels::kernels().binary.add(columns, to, dy.f32() + i * c + begin, to);
    }
  });
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
