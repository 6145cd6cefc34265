#include <tinyllm/ops/detail/mask.h>
#include <tinyllm/ops/op_list.h>

#include <algorithm>

namespace tinyllm {
namespace {

// Inputs: q, k, v; for the gradient also out, lse and d out; then starts and the step of the dropout, if given.
struct Params {
  bool has_starts;
  bool has_dropout;
  MaskParams mask;
  int64_t window;
};

struct Extents {
  int64_t batch, tokens, heads, groups, head_size;

  Extents(const Shape& q, const Shape& k) : batch(q[0]), tokens(q[1]), heads(q[2]), groups(k[2]), head_size(q[3]) {}
};

void check_starts(const View& starts) {
  const int64_t tokens = starts.shape[1];
  for (int64_t i = 0; i < starts.size(); ++i) {
    const int32_t start = starts.i32()[i];
    if (start < 0 || start > i % tokens) {
      throw Error("attention: token {} of row {} starts at {}, expected 0 to {}", i % tokens, i / tokens, start,
                  i % tokens);
    }
  }
}

// The first key that each query sees, [B, T]. Null if all see key 0. With a window it is computed in the workspace.
const int32_t* starts_of(const Launch& launch, const Extents& e, size_t first_extra) {
  const Params& params = launch.get<Params>();
  const View* starts = params.has_starts ? &launch.inputs[first_extra] : nullptr;
  if (starts != nullptr) check_starts(*starts);
  if (params.window == 0) return starts == nullptr ? nullptr : starts->i32();
  auto* first = static_cast<int32_t*>(launch.workspace);
  for (int64_t i = 0; i < e.batch * e.tokens; ++i) {
    const auto oldest = static_cast<int32_t>(std::max<int64_t>(0, i % e.tokens - params.window + 1));
    first[i] = starts == nullptr ? oldest : std::max(oldest, starts->i32()[i]);
  }
  return first;
}

size_t workspace(const Node& node, const Graph& graph, int) {
  if (std::any_cast<const Params&>(node.params).window == 0) return 0;
  return static_cast<size_t>(graph.value(node.inputs[0]).shape.size(0, 2)) * sizeof(int32_t);
}

kernels::DropoutMask mask_of(const Launch& launch) {
  const Params& params = launch.get<Params>();
  return params.has_dropout ? mask_at(params.mask, launch.inputs.back().i32()[0]) : kernels::DropoutMask{};
}

// Offsets of head `h` of batch row `b`.
struct HeadOffsets {
  int64_t q;    // In q, out and their gradients.
  int64_t kv;   // In k, v and their gradients.
  int64_t row;  // In lse, and the row of the dropout mask.

  HeadOffsets(const Extents& e, int64_t b, int64_t h)
      : q((b * e.tokens * e.heads + h) * e.head_size),
        kv((b * e.tokens * e.groups + h / (e.heads / e.groups)) * e.head_size),
        row((b * e.heads + h) * e.tokens) {}
};

void run(const Launch& launch) {
  const Extents e(launch.inputs[0].shape, launch.inputs[1].shape);
  const int32_t* starts = starts_of(launch, e, 3);
  const kernels::DropoutMask mask = mask_of(launch);
  const int64_t stride = e.heads * e.head_size;
  const int64_t blocks = ceil_div(e.tokens, kernels::kQueryBlock);
  launch.pool->parallel_for(e.batch * e.heads * blocks, [&](int64_t task) {
    const int64_t b = task / blocks / e.heads;
    const int64_t first = task % blocks * kernels::kQueryBlock;
    const HeadOffsets at(e, b, task / blocks % e.heads);
    kernels::kernels().attention({
        .queries = {.q = launch.inputs[0].f32() + at.q + first * stride,
                    .out = launch.outputs[0].f32() + at.q + first * stride,
                    .stride = stride,
                    .first = first,
                    .count = std::min(kernels::kQueryBlock, e.tokens - first),
                    .head_size = e.head_size,
                    .starts = starts == nullptr ? nullptr : starts + b * e.tokens + first},
        .k = launch.inputs[1].f32() + at.kv,
        .v = launch.inputs[2].f32() + at.kv,
        .kv_stride = e.groups * e.head_size,
        .dropout = {mask, at.row, e.tokens},
        .lse = launch.outputs[1].f32() + at.row + first,
    });
  });
}

void zero_rows(float* rows, int64_t count, int64_t size, int64_t stride) {
  for (int64_t i = 0; i < count; ++i) std::fill_n(rows + i * stride, size, 0.0f);
}

// A task is a key head with all query heads that share it, so that one thread adds up their dk and dv.
void run_grad(const Launch& launch) {
  const Extents e(launch.inputs[0].shape, launch.inputs[1].shape);
  const int32_t* starts = starts_of(launch, e, 6);
  const kernels::DropoutMask mask = mask_of(launch);
  const int64_t shared = e.heads / e.groups;
  launch.pool->parallel_for(e.batch * e.groups, [&](int64_t task) {
    const int64_t b = task / e.groups;
    const int64_t first_head = task % e.groups * shared;
    for (int64_t h = first_head; h < first_head + shared; ++h) {
      const HeadOffsets at(e, b, h);
      const kernels::AttentionBackward head = {
          .q = launch.inputs[0].f32() + at.q,
          .k = launch.inputs[1].f32() + at.kv,
          .v = launch.inputs[2].f32() + at.kv,
          .out = launch.inputs[3].f32() + at.q,
          .lse = launch.inputs[4].f32() + at.row,
          .dout = launch.inputs[5].f32() + at.q,
          .dq = launch.outputs[0].f32() + at.q,
          .dk = launch.outputs[1].f32() + at.kv,
          .dv = launch.outputs[2].f32() + at.kv,
          .tokens = e.tokens,
          .head_size = e.head_size,
          .stride = e.heads * e.head_size,
          .kv_stride = e.groups * e.head_size,
          .starts = starts == nullptr ? nullptr : starts + b * e.tokens,
          .dropout = {mask, at.row, e.tokens},
      };
      if (h == first_head) {
        zero_rows(head.dk, e.tokens, e.head_size, head.kv_stride);
        zero_rows(head.dv, e.tokens, e.head_size, head.kv_stride);
      }
      kernels::kernels().attention_grad(head);
    }
  });
}

// One product with the causal half of [T, T], for all heads. The values of `starts` are not known yet; they can only
// reduce the work.
double causal_product_flops(const Node& node, const Graph& graph) {
  const Shape& q = graph.value(node.inputs[0]).shape;
  return gemm_flops(q[0] * q[2] * q[1], q[1] + 1, q[3]) / 2;
}

// Two products: the scores, and the weights times the values.
double flops(const Node& node, const Graph& graph) { return 2 * causal_product_flops(node, graph); }

// Five products: the scores again, and the gradients of weights, q, k and v.
double grad_flops(const Node& node, const Graph& graph) { return 5 * causal_product_flops(node, graph); }

std::vector<Tensor> gradient(const Backward& node) {
  std::vector<Tensor> inputs = {node.inputs[0],  node.inputs[1],  node.inputs[2],
                                node.outputs[0], node.outputs[1], node.output_grads[0]};
  inputs.insert(inputs.end(), node.inputs.begin() + 3, node.inputs.end());
  std::vector<Tensor> grads = node.inputs[0].graph().append(
      kAttentionGrad, inputs,
      {{f32, node.inputs[0].shape()}, {f32, node.inputs[1].shape()}, {f32, node.inputs[2].shape()}},
      node.get<Params>());
  grads.resize(node.inputs.size());
  return grads;
}

}  // namespace

const Op kAttention{.name = "attention", .run = run, .gradient = gradient, .workspace = workspace, .flops = flops};
const Op kAttentionGrad{.name = "attention_grad", .run = run_grad, .workspace = workspace, .flops = grad_flops};

Tensor attention(Tensor q, Tensor k, Tensor v, Tensor starts, const Dropout& dropout, int64_t window) {
  check_f32("attention", {q, k, v});
  const Shape& s = q.shape();
  if (s.rank() != 4 || k.shape().rank() != 4 || k.shape() != v.shape() || k.shape() != s.with(2, k.shape()[2])) {
    throw Error("attention: q {}, k {}, v {}: expected q [B, T, H, D], k and v [B, T, G, D]", q.str(), k.str(),
                v.str());
  }
  if (k.shape()[2] < 1 || s[2] % k.shape()[2] != 0) {
    throw Error("attention: q {} and k {}: {} query heads do not share {} key heads evenly", q.str(), k.str(), s[2],
                k.shape()[2]);
  }
  if (s[3] < 1 || s[3] > kernels::kMaxHeadSize) {
    throw Error("attention: q {}: head size {}, expected 1 to {}", q.str(), s[3], kernels::kMaxHeadSize);
  }
  if (window < 0) throw Error("attention: window {}, expected at least 1, or 0 for none", window);
  Params params{static_cast<bool>(starts), drops(dropout), {}, window};
  std::vector<Tensor> inputs = {q, k, v};
  if (starts) {
    check_i32("attention", {starts});
    check_shape("attention", starts, {s[0], s[1]});
    inputs.push_back(starts);
  }
  if (params.has_dropout) {
    params.mask = mask_params("attention", q.graph(), dropout);
    inputs.push_back(dropout.step);
  }
  return q.graph().append(kAttention, inputs, {{f32, s}, {f32, {s[0], s[2], s[1]}}}, params)[0];
}

}  // namespace tinyllm
