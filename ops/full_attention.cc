#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/ops.h>

#include <cmath>
#include <limits>

namespace tinyllm {
namespace {

struct Extents {
  int64_t batch, queries, heads, groups, keys, size;
};

Extents extents_of(const Tensor& q, const Tensor& k, const Tensor& v) {
  check_f32("full_attention", {q, k, v});
  const Shape &a = q.shape(), &b = k.shape();
  if (a.rank() != 4 || b.rank() != 4 || b != v.shape() || a[0] != b[0] || a[3] != b[3] || a[3] < 1 || b[1] < 1) {
    throw Error("full_attention: q {}, k {}, v {}: expected q [B, T, H, D], k and v [B, S, G, D]", q.str(), k.str(),
                v.str());
  }
  if (b[2] < 1 || a[2] % b[2] != 0) {
    throw Error("full_attention: q {} and k {}: {} query heads do not share {} key heads evenly", q.str(), k.str(),
                a[2], b[2]);
  }
  return {a[0], a[1], a[2], b[2], b[1], a[3]};
}

// i32 [B, 1, S, 1]: whether a sequence has this key. Empty if all have.
Tensor present_keys(const Extents& e, Tensor lengths) {
  if (!lengths) return {};
  check_i32("full_attention", {lengths});
  check_shape("full_attention", lengths, {e.batch});
  const Tensor positions = arange(lengths.graph(), 0, static_cast<double>(e.keys), 1, i32);
  return less(reshape(positions, {1, 1, e.keys, 1}), reshape(lengths, {e.batch, 1, 1, 1}));
}

}  // namespace

Tensor full_attention(Tensor q, Tensor k, Tensor v, const FullAttention& options) {
  const Extents e = extents_of(q, k, v);
  Graph& graph = q.graph();
  const Tensor present = present_keys(e, options.lengths);
  // A key that is not there must not reach the result, whatever it holds: NaN times a weight of 0 is NaN.
  const auto heads_of = [&](Tensor x) {
    x = transpose(x, 1, 2);
    return present ? where(present, x, graph.constant(0, {1})) : x;
  };
  // The query heads that share a key head are more rows of one product.
  const Tensor rows = reshape(transpose(q, 1, 2), {e.batch, e.groups, e.heads / e.groups * e.queries, e.size});
  Tensor scores = reshape(matmul(rows, heads_of(k), {.trans_b = true}), {e.batch, e.heads, e.queries, e.keys});
  scores = scale(scores, 1 / std::sqrt(static_cast<float>(e.size)));
  if (options.bias) {
    check_f32("full_attention", {options.bias});
    const Tensor biased = scores + options.bias;
    if (biased.shape() != scores.shape()) {
      throw Error("full_attention: bias {}: expected a shape that broadcasts to {}", options.bias.str(),
                  scores.shape());
    }
    scores = biased;
  }
  if (present) {
    // Finite, so that a sequence without keys has weights.
    const Tensor lowest = graph.constant(std::numeric_limits<float>::lowest(), {1});
    scores = where(transpose(present, 2, 3), scores, lowest);
  }
  const Tensor weights = reshape(softmax(scores), {e.batch, e.groups, e.heads / e.groups * e.queries, e.keys});
  const Tensor out = reshape(matmul(weights, heads_of(v)), {e.batch, e.heads, e.queries, e.size});
  return transpose(out, 1, 2);
}

}  // namespace tinyllm
