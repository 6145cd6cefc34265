#include <tinyllm/ops/check.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cstring>

namespace tinyllm {
namespace {

// Of one token in each row: heads that share keys and values go together, so that these are read once.
void run_token(const Launch& launch) {
  const View& q = launch.inputs[0];
  const View& cache = launch.inputs[3];
  const int64_t heads = q.shape[2], d = q.shape[3], room = cache.shape[1], groups = cache.shape[2];
  const int64_t shared = heads / groups;
  const int64_t parts = (shared + kernels::kMaxShared - 1) / kernels::kMaxShared;
  launch.pool->parallel_for(q.shape[0] * groups * parts, [&](int64_t piece) {
    const int64_t b = piece / parts / groups;
    const int64_t group = piece / parts % groups;
    const int64_t first = piece % parts * kernels::kMaxShared;
    const int64_t at_q = (b * heads + group * shared + first) * d;
    const int64_t at_cache = (b * room * groups + group) * d;
    kernels::AttentionHead head{};
    head.q = q.f32() + at_q;
    head.k = cache.f32() + at_cache;
    head.v = launch.inputs[4].f32() + at_cache;
    head.out = launch.outputs[0].f32() + at_q;
    head.tokens = launch.inputs[5].i32()[b] + 1;
    head.head_size = d;
    head.kv_stride = groups * d;
    kernels::kernels().attention_token(head, std::min(kernels::kMaxShared, shared - first));
  });
}

// Inputs: q, k, v, cache_k, cache_v, lengths.
void run(const Launch& launch) {
  const View& q = launch.inputs[0];
  const View& k = launch.inputs[1];
  const View& cache = launch.inputs[3];
  const int32_t* lengths = launch.inputs[5].i32();
  const int64_t batch = q.shape[0], tokens = q.shape[1], heads = q.shape[2], d = q.shape[3];
  const int64_t room = cache.shape[1], groups = cache.shape[2];
  for (int64_t b = 0; b < batch; ++b) {
    if (lengths[b] < 0 || lengths[b] + tokens > room) {
      throw Error("cached_attention: row {} holds {} tokens, no room for {} more in {}", b, lengths[b], tokens, room);
    }
  }
  const int64_t row = groups * d;
  launch.pool->parallel_for(batch * 2, [&](int64_t piece) {
    const size_t which = static_cast<size_t>(piece % 2);
    const int64_t b = piece / 2;
    std::memcpy(launch.inputs[3 + which].f32() + (b * room + lengths[b]) * row,
                launch.inputs[1 + which].f32() + b * tokens * row, static_cast<size_t>(tokens * row) * sizeof(float));
  });
  if (tokens == 1) return run_token(launch);
  const int64_t blocks = (tokens + kernels::kQueryBlock - 1) / kernels::kQueryBlock;
  launch.pool->parallel_for(batch * heads * blocks, [&](int64_t piece) {
    const int64_t b = piece / blocks / heads;
    const int64_t h = piece / blocks % heads;
    const int64_t begin = piece % blocks * kernels::kQueryBlock;
    const int64_t at_q = (b * tokens * heads + h) * d;
    const int64_t at_cache = (b * room * groups + h / (heads / groups)) * d;
    kernels::AttentionHead head{};
    head.q = q.f32() + at_q;
    head.k = cache.f32() + at_cache;
    head.v = launch.inputs[4].f32() + at_cache;
    head.out = launch.outputs[0].f32() + at_q;
    head.tokens = lengths[b] + tokens;
    head.head_size = d;
    head.stride = heads * d;
    head.kv_stride = k.shape[2] * d;
    head.first_query = lengths[b];
    kernels::kernels().attention(head, lengths[b] + begin, lengths[b] + std::min(tokens, begin + kernels::kQueryBlock));
  });
}

// Scores and their product with the values, over a full cache: how full it is, is known when it runs.
double flops(const Node& node, const Graph& graph) {
  const Shape& q = graph.value(node.inputs[0]).shape;
  return 2 * gemm_flops(q[0] * q[2] * q[1], graph.value(node.inputs[3]).shape[1], q[3]);
}

}  // namespace

const Op kCachedAttention{.name = "cached_attention", .run = run, .flops = flops};

Tensor cached_attention(Tensor q, Tensor k, Tensor v, Tensor cache_k, Tensor cache_v, Tensor lengths) {
  check_f32("cached_attention", {q, k, v, cache_k, cache_v});
  check_i32("cached_attention", {lengths});
  const Shape& s = q.shape();
  if (s.rank() != 4 || k.shape().rank() != 4 || k.shape() != v.shape() || k.shape() != s.with(2, k.shape()[2]) ||
      k.shape()[2] < 1 || s[2] % k.shape()[2] != 0 || s[3] < 1 || s[3] > kernels::kMaxHeadSize) {
    throw Error("cached_attention: q {}, k {}, v {}: expected q [B, T, H, D], k and v [B, T, G, D]", q.str(), k.str(),
                v.str());
  }
  for (const Tensor& cache : {cache_k, cache_v}) {
    if (cache.shape().rank() != 4) throw Error("cached_attention: {}: expected [B, S, G, D]", cache.str());
    check_shape("cached_attention", cache, k.shape().with(1, cache.shape()[1]));
  }
  check_shape("cached_attention", cache_v, cache_k.shape());
  check_shape("cached_attention", lengths, {s[0]});
  return q.graph().append(kCachedAttention, {q, k, v, cache_k, cache_v, lengths}, {{f32, s}})[0];
}

}  // namespace tinyllm
