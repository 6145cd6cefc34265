#include <tinyllm/ops/convert.h>
#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

constexpr uint64_t kSeed = 77;
constexpr int32_t kStep = 5;

struct Setting {
  int64_t batch, tokens, heads, groups, head_size;
  std::vector<int64_t> documents = {};  ///< First tokens of documents, the same in every row; empty: no starts.
  float p = 0;
  bool check_gradient = true;
  int64_t window = 0;
};

int64_t start_of(const Setting& s, int64_t t) {
  int64_t start = s.window == 0 ? 0 : std::max<int64_t>(0, t - s.window + 1);
  for (const int64_t first : s.documents) start = first <= t ? std::max(first, start) : start;
  return start;
}

std::vector<Array> reference(const Setting& s, const std::vector<Array>& in) {
  const int64_t batch = s.batch, tokens = s.tokens, heads = s.heads, groups = s.groups, d = s.head_size;
  const uint32_t op = s.documents.empty() ? 0 : 1;  // The first node of the graph, or behind the one that makes starts.
  Array out({batch, tokens, heads, d});
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t h = 0; h < heads; ++h) {
      const int64_t g = h / (heads / groups);
      for (int64_t t = 0; t < tokens; ++t) {
        const auto q_at = [&](int64_t i) { return ((b * tokens + t) * heads + h) * d + i; };
        const auto kv_at = [&](int64_t j, int64_t i) { return ((b * tokens + j) * groups + g) * d + i; };
        std::vector<double> weights;
        double total = 0;
        for (int64_t j = start_of(s, t); j <= t; ++j) {
          double score = 0;
          for (int64_t i = 0; i < d; ++i) score += in[0][q_at(i)] * in[1][kv_at(j, i)];
          weights.push_back(std::exp(score / std::sqrt(double(d))));
          total += weights.back();
        }
        for (int64_t j = start_of(s, t); j <= t; ++j) {
          const int64_t index = ((b * heads + h) * tokens + j) * ((tokens + 63) / 64 * 64) + t;
          const double w = weights[size_t(j - start_of(s, t))] / total * dropout_factor(index, s.p, kSeed, op, kStep);
          for (int64_t i = 0; i < d; ++i) out[q_at(i)] += w * in[2][kv_at(j, i)];
        }
      }
    }
  }
  return {out};
}

OpCase attention_case(const std::string& name, const Setting& s) {
  OpCase test;
  test.name = "attention, " + name;
  test.check_gradient = s.check_gradient;
  test.arguments = {{f32, {s.batch, s.tokens, s.heads, s.head_size}, -2, 2},
                    {f32, {s.batch, s.tokens, s.groups, s.head_size}, -2, 2},
                    {f32, {s.batch, s.tokens, s.groups, s.head_size}},
                    {i32, {1}, kStep, kStep + 1}};
  // Starts are a constant of the case: an argument for each token, of one possible value.
  Setting without_window = s;
  without_window.window = 0;
  for (int64_t t = 0; t < (s.documents.empty() ? 0 : s.tokens); ++t) {
    const auto start = static_cast<double>(start_of(without_window, t));
    test.arguments.push_back({i32, {s.batch, 1}, start, start + 1});
  }
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    const Tensor starts = s.documents.empty() ? Tensor{} : concat({in.begin() + 4, in.end()}, 1);
    return {attention(in[0], in[1], in[2], starts, {s.p, kSeed, in[3]}, s.window)};
  };
  test.reference = [=](const std::vector<Array>& in) { return reference(s, in); };
  return test;
}

// Rows at places of sequences, over pages that lie in any order: what plain attention sees is the sequence's history,
// the new rows in it. `rows` are pairs of sequence and place, `pages` has a line of equal length for each sequence.
struct Paged {
  std::vector<std::pair<int32_t, int32_t>> rows;
  std::vector<std::vector<int32_t>> pages;
  int64_t cache, heads, groups, head_size;  // `cache`: pages in it.
  DType type = f32;                         // Of the cache.
  int64_t window = 0;
};

// A number as a cache holds it.
double stored(DType type, double x) {
  if (type == f32) return x;
  const auto number = static_cast<float>(x);
  Half half{};
  float back = 0;
  convert(std::span(&number, 1), std::span(&half, 1));
  convert(std::span<const Half>(&half, 1), std::span(&back, 1));
  return static_cast<double>(back);
}

Tensor constant_ints(const std::vector<Tensor>& in, size_t& next, std::vector<int64_t> extents) {
  const auto count = static_cast<size_t>(Shape(std::span<const int64_t>(extents)).size());
  const std::vector<Tensor> parts(in.begin() + static_cast<std::ptrdiff_t>(next),
                                  in.begin() + static_cast<std::ptrdiff_t>(next + count));
  next += count;
  return reshape(concat(parts, 0), std::move(extents));
}

OpCase cached_case(const std::string& name, const Paged& p) {
  const auto tokens = static_cast<int64_t>(p.rows.size()), width = static_cast<int64_t>(p.pages[0].size());
  OpCase test;
  test.name = fmt::format("cached_attention, {}, {}", name_of(p.type), name);
  test.check_gradient = false;
  test.arguments = {{f32, {1, tokens, p.heads, p.head_size}, -2, 2, false},
                    {f32, {1, tokens, p.groups, p.head_size}, -2, 2, false},
                    {f32, {1, tokens, p.groups, p.head_size}, -1, 1, false},
                    {p.type, {p.cache, p.groups, p.head_size, kCachePage}, -2, 2, false, Kind::state},
                    {p.type, {p.cache, p.groups, kCachePage, p.head_size}, -1, 1, false, Kind::state}};
  const auto add = [&](int32_t value) { test.arguments.push_back({i32, {1}, double(value), double(value) + 1}); };
  for (const auto& [sequence, place] : p.rows) add(sequence);
  for (const auto& [sequence, place] : p.rows) add(place);
  for (const auto& line : p.pages) std::for_each(line.begin(), line.end(), add);
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    size_t next = 5;
    const Tensor sequences = constant_ints(in, next, {1, tokens});
    const Tensor positions = constant_ints(in, next, {1, tokens});
    const Tensor pages = constant_ints(in, next, {static_cast<int64_t>(p.pages.size()), width});
    const Tensor out = cached_attention(in[0], in[1], in[2], {in[3], in[4], sequences, positions, pages}, p.window);
    if (p.type != f32) return {out};  // Results of the table are float.
    return {out, in[3], in[4]};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array out(in[0].shape);
    std::vector<Array> caches = {in[3], in[4]};
    const int64_t wide = p.groups * p.head_size, all_heads = p.heads * p.head_size;
    // Element i of a key (0) or value (1) in its cache.
    const auto at = [&](size_t which, int32_t sequence, int64_t place, int64_t i) {
      const int64_t page = p.pages[size_t(sequence)][size_t(place / kCachePage)], row = place % kCachePage;
      const int64_t block = page * p.groups + i / p.head_size, d = i % p.head_size;
      return block * kCachePage * p.head_size + (which == 0 ? d * kCachePage + row : row * p.head_size + d);
    };
    for (int64_t row = 0; row < tokens; ++row) {
      const auto& [sequence, place] = p.rows[size_t(row)];
      for (int64_t i = 0; i < (sequence < 0 ? 0 : wide); ++i) {
        for (size_t which : {size_t{0}, size_t{1}}) {
          caches[which][at(which, sequence, place, i)] = stored(p.type, in[1 + which][row * wide + i]);
        }
      }
    }
    for (int64_t row = 0; row < tokens; ++row) {
      const auto& [sequence, place] = p.rows[size_t(row)];
      if (sequence < 0) continue;
      const int64_t all = place + 1;
      std::vector<Array> whole = {Array({1, all, p.heads, p.head_size}), Array({1, all, p.groups, p.head_size}),
                                  Array({1, all, p.groups, p.head_size})};
      for (int64_t i = 0; i < all * wide; ++i) {
        whole[1][i] = caches[0][at(0, sequence, i / wide, i % wide)];
        whole[2][i] = caches[1][at(1, sequence, i / wide, i % wide)];
      }
      for (int64_t i = 0; i < all_heads; ++i) whole[0][place * all_heads + i] = in[0][row * all_heads + i];
      const Setting setting{.batch = 1,
                            .tokens = all,
                            .heads = p.heads,
                            .groups = p.groups,
                            .head_size = p.head_size,
                            .window = p.window};
      const Array result = reference(setting, whole)[0];
      for (int64_t i = 0; i < all_heads; ++i) out[row * all_heads + i] = result[place * all_heads + i];
    }
    return p.type == f32 ? std::vector<Array>{out, caches[0], caches[1]} : std::vector<Array>{out};
  };
  return test;
}

std::vector<std::pair<int32_t, int32_t>> places(int32_t sequence, int32_t from, int32_t to) {
  std::vector<std::pair<int32_t, int32_t>> rows;
  for (int32_t place = from; place < to; ++place) rows.emplace_back(sequence, place);
  return rows;
}

}  // namespace

std::vector<OpCase> attention_cases() {
  std::vector<OpCase> cases = {
      attention_case("one token", {.batch = 2, .tokens = 1, .heads = 2, .groups = 2, .head_size = 4}),
      attention_case("odd sizes", {.batch = 2, .tokens = 7, .heads = 3, .groups = 3, .head_size = 5}),
      attention_case("shared key heads", {.batch = 1, .tokens = 9, .heads = 4, .groups = 2, .head_size = 6}),
      attention_case("dropout", {.batch = 1, .tokens = 11, .heads = 2, .groups = 1, .head_size = 4, .p = 0.3f}),
      attention_case("more than a block",
                     {.batch = 1, .tokens = 70, .heads = 1, .groups = 1, .head_size = 3, .documents = {}, .p = 0.2f}),
      attention_case("documents apart",
                     {.batch = 2, .tokens = 12, .heads = 2, .groups = 1, .head_size = 4, .documents = {0, 5, 6}}),
      attention_case("a window in documents", {.batch = 2,
                                               .tokens = 23,
                                               .heads = 2,
                                               .groups = 1,
                                               .head_size = 4,
                                               .documents = {0, 3, 12},
                                               .p = 0.2f,
                                               .window = 5}),
      attention_case(
          "a window over blocks",
          {.batch = 1, .tokens = 200, .heads = 2, .groups = 2, .head_size = 6, .check_gradient = false, .window = 70}),
      attention_case("an empty batch", {.batch = 0, .tokens = 5, .heads = 2, .groups = 2, .head_size = 4}),
      attention_case("several blocks", {.batch = 2,
                                        .tokens = 200,
                                        .heads = 4,
                                        .groups = 2,
                                        .head_size = 24,
                                        .documents = {},
                                        .p = 0.1f,
                                        .check_gradient = false}),
      attention_case("dropout in documents over blocks", {.batch = 1,
                                                          .tokens = 131,
                                                          .heads = 2,
                                                          .groups = 1,
                                                          .head_size = 5,
                                                          .documents = {0, 60, 70, 129},
                                                          .p = 0.25f}),
      attention_case("the largest head", {.batch = 1,
                                          .tokens = 66,
                                          .heads = 1,
                                          .groups = 1,
                                          .head_size = 256,
                                          .documents = {},
                                          .p = 0.5f,
                                          .check_gradient = false}),
      attention_case("documents over blocks", {.batch = 1,
                                               .tokens = 205,
                                               .heads = 2,
                                               .groups = 2,
                                               .head_size = 16,
                                               .documents = {0, 30, 64, 150},
                                               .p = 0,
                                               .check_gradient = false}),
  };
  for (const DType type : {f32, f16}) {
    const auto add = [&](const std::string& name, Paged p) {
      p.type = type;
      cases.push_back(cached_case(name, p));
    };
    add("one new token each, the first page shared",
        {{{0, 65}, {1, 64}, {2, 3}, {-1, 0}}, {{2, 0}, {2, 3}, {1, 0}}, 4, 2, 2, 4});
    add("a sequence's rows apart, padding first", {{{-1, 9}, {0, 7}, {1, 0}, {0, 8}}, {{1}, {0}}, 2, 4, 2, 6});
    add("more than a block of rows", {places(0, 130, 200), {{3, 0, 4, 1}}, 5, 2, 1, 3});
    add("from the first token", {places(0, 0, 70), {{1, 0}}, 2, 4, 2, 24});
    add("one token, blocks of keys", {{{0, 130}, {1, 63}, {2, 64}}, {{0, 3, 1}, {2, 5, 5}, {6, 4, 5}}, 7, 2, 1, 20});
    add("one token, many shared heads", {{{0, 20}}, {{0}}, 1, 18, 1, 5});
    add("a window, one new token each", {.rows = {{0, 130}, {1, 63}, {2, 9}, {3, 10}},
                                         .pages = {{0, 3, 1}, {2, 5, 5}, {6, 4, 5}, {7, 4, 5}},
                                         .cache = 8,
                                         .heads = 2,
                                         .groups = 1,
                                         .head_size = 20,
                                         .window = 10});
    add("a window over blocks of rows", {.rows = places(0, 60, 200),
                                         .pages = {{3, 0, 4, 1}},
                                         .cache = 5,
                                         .heads = 2,
                                         .groups = 1,
                                         .head_size = 3,
                                         .window = 70});
  }
  return cases;
}

}  // namespace tinyllm::test
