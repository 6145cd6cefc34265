#pragma once

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/targets.h>
#include <tinyllm/ops/detail/workspace.h>
#include <tinyllm/ops/kernels/kernels.h>

// What `linear_cross_entropy` and `token_log_probs` share: a head w [V, C] over hidden states x [..., C] and targets
// [...], in chunks of rows. Only the logits of a chunk are in memory, as scratch memory.
namespace tinyllm {

/// Rows of a chunk. Large enough that once per chunk reading and writing dw and packing w takes little time compared
/// with the products, but at most 80 MB of logits for a large vocabulary.
inline int64_t head_chunk(int64_t v) {
  constexpr int64_t kMost = 512, kLeast = 64, kStep = 16, kLogits = int64_t{20} << 20;
  return std::clamp(kLogits / std::max<int64_t>(1, v) / kStep * kStep, kLeast, kMost);
}

struct HeadProducts {
  GemmShape logits, dx, dw;

  HeadProducts(int64_t rows, int64_t v, int64_t c, Type type, Precision precision = Precision::fp32)
      : logits{.m = rows, .n = v, .k = c, .trans_b = true, .precision = precision, .b_type = type},
        dx{.m = rows, .n = c, .k = v, .precision = precision, .b_type = type},
        dw{.m = v, .n = c, .k = rows, .trans_a = true, .precision = precision} {}
};

/// Scratch memory: the logits of a chunk, and what products need.
struct HeadScratch {
  float* logits;
  std::byte* products;

  HeadScratch(const Shape& x, const Shape& w, Type type, int workers, Workspace& memory) {
    const int64_t rows = std::min(head_chunk(w[0]), x.rows());
    size_t most = 0;
    for (const int64_t chunk : {rows, x.rows() % head_chunk(w[0])}) {
      if (chunk == 0) continue;
      const HeadProducts shapes(chunk, w[0], w[1], type);
      for (const GemmShape& shape : {shapes.logits, shapes.dx, shapes.dw}) {
        most = std::max(most, gemm_workspace(shape, workers));
      }
    }
    logits = memory.take<float>(rows * w[0]);
    products = memory.take<std::byte>(static_cast<int64_t>(most));
  }
};

/// Throws Error unless x is [..., C], w [V, C], f32 or packed, and targets [...].
inline void check_head(const char* op, Tensor x, Tensor w, Tensor targets) {
  check_f32(op, {x});
  if (!w || !w.type().is_packed()) check_f32(op, {w});
  check_i32(op, {targets});
  if (!is_one_for_each_row(x.shape(), targets.shape()) || w.shape().rank() != 2 || w.shape()[0] < 1 ||
      w.shape()[1] != x.shape().row()) {
    throw Error("{}: x {}, w {} and targets {}: expected x [..., C], w [V, C] and targets [...]", op, x.str(), w.str(),
                targets.str());
  }
}

/// Calls `row(i, logits)` for every row i of the node's inputs x and w. If dx or dw is not null, `row` must replace the
/// logits by their gradient, and dx [..., C] or dw [V, C] becomes the gradient of x or w.
template <class Row>
void run_chunks(const Launch& launch, const HeadScratch& scratch, float* dx, float* dw, Row row) {
  const View& x = launch.inputs[0];
  const View& w = launch.inputs[1];
  const int64_t v = w.shape[0];
  const int64_t c = w.shape[1];
  const int64_t all = x.shape.rows();
  if (dw != nullptr && all == 0) std::fill_n(dw, w.size(), 0.0f);
  const int64_t chunk = head_chunk(v);
  for (int64_t first = 0; first < all; first += chunk) {
    const int64_t rows = std::min(chunk, all - first);
    const float* rows_x = x.f32() + first * c;
    HeadProducts shapes(rows, v, c, w.type, launch.precision);
    gemm(shapes.logits, rows_x, w.data, nullptr, scratch.logits, scratch.products, *launch.pool);
    parallel_ranges(*launch.pool, rows, row_grain(v), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) row(first + i, scratch.logits + i * v);
    });
    if (dx != nullptr) {
      gemm(shapes.dx, scratch.logits, w.data, nullptr, dx + first * c, scratch.products, *launch.pool);
    }
    if (dw != nullptr) {
      shapes.dw.accumulate = first > 0;
      gemm(shapes.dw, scratch.logits, rows_x, nullptr, dw, scratch.products, *launch.pool);
    }
  }
}

/// Floating point operations of one of its products: logits, dx or dw.
inline double head_flops(const Node& node, const Graph& graph) {
  const Shape& w = graph.value(node.inputs[1]).shape;
  return gemm_flops(graph.value(node.inputs[0]).shape.rows(), w[0], w[1]);
}

}  // namespace tinyllm
