#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <array>

namespace tinyllm {
namespace {

constexpr int64_t kPage = kCachePage;
static_assert(kPage == kernels::kKeyBlock, "a block of keys is a page");

struct Params {
  int64_t window;
};

// The rows of one launch. Inputs: q, k, v, cache_k, cache_v, sequences, positions, pages.
struct Rows {
  int64_t count, heads, groups, head_size;
  const int32_t* sequences;
  const int32_t* positions;
  const View& pages;

  explicit Rows(const Launch& launch)
      : count(launch.inputs[0].shape.size(0, 2)),
        heads(launch.inputs[0].shape[2]),
        groups(launch.inputs[1].shape[2]),
        head_size(launch.inputs[0].shape[3]),
        sequences(launch.inputs[5].i32()),
        positions(launch.inputs[6].i32()),
        pages(launch.inputs[7]) {}

  const int32_t* pages_of(int64_t row) const { return pages.i32() + sequences[row] * pages.shape[1]; }

  // The number of rows from this one on that are consecutive tokens of one sequence, at most kQueryBlock.
  int64_t block(int64_t row) const {
    int64_t end = row + 1;
    while (end < std::min(count, row + kernels::kQueryBlock) && sequences[end] == sequences[row] &&
           positions[end] == positions[end - 1] + 1) {
      ++end;
    }
    return end - row;
  }

  void check(int64_t pages_in_cache) const {
    for (int64_t row = 0; row < count; ++row) {
      if (sequences[row] < 0) continue;
      if (sequences[row] >= pages.shape[0] || positions[row] < 0 || positions[row] >= pages.shape[1] * kPage) {
        throw Error("cached_attention: row {} is at position {} of sequence {}, expected {} sequences of {} positions",
                    row, positions[row], sequences[row], pages.shape[0], pages.shape[1] * kPage);
      }
      for (int64_t page = 0; page <= positions[row] / kPage; ++page) {
        const int32_t at = pages_of(row)[page];
        if (at < 0 || at >= pages_in_cache) {
          throw Error("cached_attention: page {} of sequence {} is {}, expected 0 to {}", page, sequences[row], at,
                      pages_in_cache - 1);
        }
      }
    }
  }
};

// Finds blocks of rows that are computed together. blocks[row] becomes the length of the block that begins with `row`,
// or 0 if none does.
void find_blocks(const Rows& rows, int32_t* blocks) {
  std::fill_n(blocks, rows.count, 0);
  for (int64_t row = 0; row < rows.count;) {
    const int64_t length = rows.block(row);
    if (rows.sequences[row] >= 0) blocks[row] = static_cast<int32_t>(length);
    row += length;
  }
}

// Converts numbers to the type of the cache.
void put(const float* from, int64_t count, float* to) { std::copy_n(from, count, to); }
void put(const float* from, int64_t count, Half* to) { kernels::kernels().to_f16(count, from, to); }

// Writes the new keys and values of one key head to the cache.
template <class T>
void store(const Rows& rows, int64_t group, const Launch& launch) {
  std::array<T, kernels::kMaxHeadSize> numbers;
  for (int64_t row = 0; row < rows.count; ++row) {
    if (rows.sequences[row] < 0) continue;
    const int64_t from = (row * rows.groups + group) * rows.head_size;
    const float* key = launch.inputs[1].f32() + from;
    const float* value = launch.inputs[2].f32() + from;
    const int64_t page = rows.pages_of(row)[rows.positions[row] / kPage], slot = rows.positions[row] % kPage;
    const int64_t block = (page * rows.groups + group) * rows.head_size * kPage;
    T* keys = static_cast<T*>(launch.inputs[3].data) + block + slot;
    put(key, rows.head_size, numbers.data());
    for (int64_t d = 0; d < rows.head_size; ++d) keys[d * kPage] = numbers[static_cast<size_t>(d)];
    put(value, rows.head_size, static_cast<T*>(launch.inputs[4].data) + block + slot * rows.head_size);
  }
}

// The cache of one key head, with the pages of the sequence of a row.
kernels::KeyPages cache_of(const Rows& rows, int64_t row, int64_t group, const Launch& launch) {
  const int64_t first = group * rows.head_size * kPage;
  const auto numbers = [&](const View& view) -> const void* {
    if (view.type == f16) return view.f16() + first;
    return view.f32() + first;
  };
  return {.type = launch.inputs[3].type.dtype(),
          .k = numbers(launch.inputs[3]),
          .v = numbers(launch.inputs[4]),
          .pages = rows.pages_of(row),
          .page_stride = rows.groups * rows.head_size * kPage};
}

// Attention of query head `h` for the block of `count` rows from `row` on. `starts` has the first key that each of
// these rows sees, or is null.
void attend(const Rows& rows, int64_t row, int64_t count, int64_t h, const int32_t* starts, const Launch& launch) {
  const int64_t shared = rows.heads / rows.groups;
  const int64_t at = (row * rows.heads + h) * rows.head_size;
  const float* q = launch.inputs[0].f32() + at;
  float* out = launch.outputs[0].f32() + at;
  const kernels::KeyPages cache = cache_of(rows, row, h / shared, launch);
  const bool sees_all = starts == nullptr || starts[0] == 0;
  if (count > 1 || !sees_all) {
    return kernels::kernels().attention_cached({.q = q,
                                                .out = out,
                                                .stride = rows.heads * rows.head_size,
                                                .first = rows.positions[row],
                                                .count = count,
                                                .head_size = rows.head_size,
                                                .starts = starts},
                                               cache);
  }
  // For a single token, the first of up to kMaxShared heads does the work of all that share its keys and values.
  if (h % shared % kernels::kMaxShared != 0) return;
  kernels::kernels().attention_token({.q = q,
                                      .out = out,
                                      .heads = std::min(kernels::kMaxShared, shared - h % shared),
                                      .head_size = rows.head_size,
                                      .tokens = rows.positions[row] + int64_t{1},
                                      .cache = cache});
}

void run(const Launch& launch) {
  const Rows rows(launch);
  rows.check(launch.inputs[3].shape[0]);
  const bool is_half = launch.inputs[3].type == f16;
  launch.pool->parallel_for(rows.groups, [&](int64_t group) {
    if (is_half) return store<Half>(rows, group, launch);
    store<float>(rows, group, launch);
  });

  auto* blocks = static_cast<int32_t*>(launch.workspace);
  find_blocks(rows, blocks);
  const int64_t window = launch.get<Params>().window;
  int32_t* starts = window > 0 ? blocks + rows.count : nullptr;
  for (int64_t row = 0; window > 0 && row < rows.count; ++row) {
    starts[row] = static_cast<int32_t>(std::max<int64_t>(0, rows.positions[row] - window + 1));
  }
  launch.pool->parallel_for(rows.count * rows.heads, [&](int64_t task) {
    const int64_t row = task / rows.heads, h = task % rows.heads;
    if (rows.sequences[row] < 0) {
      std::fill_n(launch.outputs[0].f32() + (row * rows.heads + h) * rows.head_size, rows.head_size, 0.0f);
    } else if (blocks[row] > 0) {
      attend(rows, row, blocks[row], h, starts == nullptr ? nullptr : starts + row, launch);
    }
  });
}

// For each row, the length of its block and the first key that it sees.
size_t workspace(const Node& node, const Graph& graph, int) {
  return static_cast<size_t>(graph.value(node.inputs[0]).shape.size(0, 2)) * 2 * sizeof(int32_t);
}

// Two products, as in attention.cc, over all positions of the cache: the lengths of sequences are not known yet.
double flops(const Node& node, const Graph& graph) {
  const Shape& q = graph.value(node.inputs[0]).shape;
  return 2 * gemm_flops(q[0] * q[2] * q[1], graph.value(node.inputs[7]).shape[1] * kPage, q[3]);
}

}  // namespace

const Op kCachedAttention{.name = "cached_attention", .run = run, .workspace = workspace, .flops = flops};

DType fastest_cache_type() { return kernel_isa() == Isa::baseline ? f32 : f16; }

Tensor cached_attention(Tensor q, Tensor k, Tensor v, const AttentionCache& cache, int64_t window) {
  if (window < 0) throw Error("cached_attention: window {}, expected at least 1, or 0 for none", window);
  check_f32("cached_attention", {q, k, v});
  if (!cache.k || cache.k.type() != f16) check_f32("cached_attention", {cache.k});
  check_type("cached_attention", {cache.v}, cache.k.type());
  check_i32("cached_attention", {cache.sequences, cache.positions, cache.pages});
  const Shape& s = q.shape();
  if (s.rank() != 4 || k.shape().rank() != 4 || k.shape() != v.shape() || k.shape() != s.with(2, k.shape()[2]) ||
      k.shape()[2] < 1 || s[2] % k.shape()[2] != 0 || s[3] < 1 || s[3] > kernels::kMaxHeadSize) {
    throw Error("cached_attention: q {}, k {}, v {}: expected q [B, T, H, D], k and v [B, T, G, D]", q.str(), k.str(),
                v.str());
  }
  if (cache.k.shape().rank() != 4) throw Error("cached_attention: {}: expected [N, G, D, P]", cache.k.str());
  const int64_t pages = cache.k.shape()[0], groups = k.shape()[2];
  check_shape("cached_attention", cache.k, {pages, groups, s[3], kPage});
  check_shape("cached_attention", cache.v, {pages, groups, kPage, s[3]});
  check_shape("cached_attention", cache.sequences, {s[0], s[1]});
  check_shape("cached_attention", cache.positions, {s[0], s[1]});
  if (cache.pages.shape().rank() != 2) throw Error("cached_attention: {}: expected [S, M]", cache.pages.str());
  return q.graph().append(kCachedAttention, {q, k, v, cache.k, cache.v, cache.sequences, cache.positions, cache.pages},
                          {{f32, s}}, Params{window})[0];
}

}  // namespace tinyllm
