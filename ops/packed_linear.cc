#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>

// `linear` for a packed weight matrix w. The work is divided into panels of w.
namespace tinyllm {
namespace {

using kernels::kQuantBlock;
using kernels::kQuantPanel;

// A task multiplies one or more panels of w by a block of rows of x. The rows fit in the L2 cache (1 MB on Zen 4), so
// the prefetched weights are read from memory once per block of rows. Tasks with the same rows are consecutive.
constexpr int64_t kRowBytes = int64_t{512} << 10;
constexpr int64_t kFewestRows = 48;
constexpr int64_t kMostRows = 192;
constexpr int64_t kFewRows = 24;
// The minimum number of blocks of weights in a task with few rows: about 70 KB, which a core reads in some
// microseconds. Tasks are made longer as long as there are at least kEnoughPieces, because the prefetches at the end of
// a task are wasted.
constexpr int64_t kPieceBlocks = 64;
constexpr int64_t kEnoughPieces = 48;

// The stride, in blocks, between rows of x in INT8. It is one more than a row has, so that rows are not a multiple of a
// page apart.
int64_t row_blocks(int64_t k) { return k / kQuantBlock + 1; }

// Calls `work(row, rows, panel)` for rows [row, row + rows) of x, of `row_bytes` each, and every panel of w [n, k].
template <class Work>
void for_each_panel(ThreadPool& pool, int64_t m, int64_t row_bytes, int64_t n, int64_t k, Work work) {
  const int64_t panels = ceil_div(n, kQuantPanel);
  const int64_t height =
      std::clamp(kRowBytes / std::max<int64_t>(1, row_bytes) / kFewestRows * kFewestRows, kFewestRows, kMostRows);
  const int64_t blocks = std::max<int64_t>(1, k / kQuantBlock);
  const int64_t width = m > kFewRows ? 1 : std::max<int64_t>({1, kPieceBlocks / blocks, panels / kEnoughPieces});
  const int64_t across = ceil_div(panels, width);
  pool.parallel_for(across * ceil_div(m, height), [&](int64_t piece) {
    const int64_t row = piece / across * height;
    const int64_t first = piece % across * width;
    for (int64_t panel = first; panel < std::min(panels, first + width); ++panel) {
      work(row, std::min(height, m - row), panel);
    }
  });
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& w = launch.inputs[1];
  const float* bias = launch.inputs.size() > 2 ? launch.inputs[2].f32() : nullptr;
  float* y = launch.outputs[0].f32();
  const kernels::Kernels& kernel = kernels::kernels();
  const int64_t m = x.shape.rows(), n = w.shape[0], k = w.shape[1];
  const size_t panel_bytes = bytes_of(w.type, {kQuantPanel, k});
  const auto panel_at = [&](int64_t panel) {
    return static_cast<const std::byte*>(w.data) + static_cast<size_t>(panel) * panel_bytes;
  };
  const auto bias_at = [&](int64_t column) { return bias == nullptr ? nullptr : bias + column; };
  if (w.type == packed_bf16) {
    for_each_panel(*launch.pool, m, k * int64_t{sizeof(float)}, n, k, [&](int64_t row, int64_t rows, int64_t panel) {
      const int64_t column = panel * kQuantPanel;
      kernel.bf16_weights({rows, std::min(kQuantPanel, n - column), k, x.f32() + row * k, k, panel_at(panel),
                           bias_at(column), y + row * n + column, n});
    });
    return;
  }

  const kernels::QuantizedProducts& products = w.type == q8_0 ? kernel.q8_0 : kernel.q4_0;
  const int64_t blocks = k / kQuantBlock, stride = row_blocks(k);
  auto* quantized = static_cast<kernels::QuantizedNumbers*>(launch.workspace);
  parallel_ranges(*launch.pool, m, row_grain(k), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      kernel.quantize(blocks, products.offset, x.f32() + i * k, quantized + i * stride);
    }
  });
  const int64_t row_bytes = stride * int64_t{sizeof(kernels::QuantizedNumbers)};
  for_each_panel(*launch.pool, m, row_bytes, n, k, [&](int64_t row, int64_t rows, int64_t panel) {
    const int64_t column = panel * kQuantPanel;
    products.multiply({rows, std::min(kQuantPanel, n - column), blocks, quantized + row * stride, stride,
                       panel_at(panel), bias_at(column), y + row * n + column, n});
  });
}

size_t workspace(const Node& node, const Graph& graph, int) {
  const Shape& x = graph.value(node.inputs[0]).shape;
  if (graph.value(node.inputs[1]).type == packed_bf16) return 0;
  return static_cast<size_t>(x.rows() * row_blocks(x.row())) * sizeof(kernels::QuantizedNumbers);
}

double flops(const Node& node, const Graph& graph) {
  const Shape& w = graph.value(node.inputs[1]).shape;
  return gemm_flops(graph.value(node.inputs[0]).shape.rows(), w[0], w[1]);
}

// dx as if the rows had not been quantised.
std::vector<Tensor> gradient(const Backward& node) {
  const Tensor dy = node.output_grads[0], x = node.inputs[0], w = node.inputs[1];
  const Tensor rows = reshape(dy, {x.shape().rows(), w.shape()[0]});
  std::vector<Tensor> grads = {reshape(matmul(rows, w), {x.shape().begin(), x.shape().end()}), {}};
  if (node.inputs.size() > 2) grads.push_back(sum(rows, 0));
  return grads;
}

}  // namespace

const Op kPackedLinear{
    .name = "packed_linear", .run = run, .gradient = gradient, .workspace = workspace, .flops = flops};

}  // namespace tinyllm
