#include <tinyllm/ops/detail/along_axis.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <bit>

// `argsort` finds the order of a row or its beginning. `sort` and `top_k` gather the numbers, so that their gradient is
// that of `gather`.
namespace tinyllm {
namespace {

struct Params {
  int64_t count;  // Indices that are wanted: the first of the order.
  bool descending;
};

constexpr uint32_t kSign = 0x80000000;

// Unsigned numbers that are in the order of floats: 0 equals -0, and NaN is the greatest.
uint32_t order_of(float x) {
  if (x != x) return ~uint32_t{0};
  if (x == 0) return kSign;
  const auto bits = std::bit_cast<uint32_t>(x);
  return (bits & kSign) != 0 ? ~bits : bits | kSign;
}
uint32_t order_of(int32_t x) { return static_cast<uint32_t>(x) ^ kSign; }

// Sorts a row by (number, index), which no two elements share: equal numbers stay in the order of their indices.
template <class T>
void sort_row(const Params& params, int64_t n, const T* x, uint64_t* keys, int32_t* order) {
  for (int64_t i = 0; i < n; ++i) {
    const uint32_t key = params.descending ? ~order_of(x[i]) : order_of(x[i]);
    keys[i] = uint64_t{key} << 32 | static_cast<uint64_t>(i);
  }
  if (params.count < n) std::nth_element(keys, keys + params.count, keys + n);
  std::sort(keys, keys + params.count);
  for (int64_t i = 0; i < params.count; ++i) order[i] = static_cast<int32_t>(keys[i] & ~uint32_t{0});
}

size_t workspace(const Node& node, const Graph& graph, int workers) {
  return static_cast<size_t>(graph.value(node.inputs[0]).shape.row() * workers) * sizeof(uint64_t);
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const auto& params = launch.get<Params>();
  const int64_t n = x.shape.row();
  parallel_ranges(*launch.pool, x.shape.rows(), row_grain(n), [&](int64_t begin, int64_t end, int worker) {
    uint64_t* keys = static_cast<uint64_t*>(launch.workspace) + worker * n;
    for (int64_t row = begin; row < end; ++row) {
      int32_t* order = launch.outputs[0].i32() + row * params.count;
      if (x.type == i32) {
        sort_row(params, n, x.i32() + row * n, keys, order);
      } else {
        sort_row(params, n, x.f32() + row * n, keys, order);
      }
    }
  });
}

Tensor first_of_order(const char* name, Tensor x, int axis, int64_t count, bool descending) {
  check_words(name, x);
  check_indexable(name, x, axis, 0);
  return along_last(x, axis, [&](Tensor rows) {
    const Shape shape = rows.shape().with(-1, count);
    return rows.graph().append(kArgsort, {rows}, {{i32, shape}}, Params{count, descending})[0];
  });
}

}  // namespace

const Op kArgsort{.name = "argsort", .run = run, .gradient = no_gradient, .workspace = workspace};

Tensor argsort(Tensor x, int axis, bool descending) {
  check_words("argsort", x);
  return first_of_order("argsort", x, axis, x.shape()[axis], descending);
}

Sorted sort(Tensor x, int axis, bool descending) {
  check_words("sort", x);
  const Tensor indices = first_of_order("sort", x, axis, x.shape()[axis], descending);
  return {gather(x, axis, indices), indices};
}

Sorted top_k(Tensor x, int64_t k, int axis) {
  check_words("top_k", x);
  if (k < 0 || k > x.shape()[axis]) {
    throw Error("top_k: x {}: {} of axis {}, expected 0 to {}", x.str(), k, axis, x.shape()[axis]);
  }
  const Tensor indices = first_of_order("top_k", x, axis, k, true);
  return {gather(x, axis, indices), indices};
}

}  // namespace tinyllm
