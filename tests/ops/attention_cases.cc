#include <tinyllm/ops/ops.h>

#include "cases.h"

namespace tinyllm::test {
namespace {

constexpr uint64_t kSeed = 77;
constexpr int32_t kStep = 5;

struct Setting {
  int64_t batch, tokens, heads, groups, head_size;
  std::vector<int64_t> documents = {};  ///< First tokens of documents, the same in every row; empty: no starts.
  float p = 0;
  bool check_gradient = true;
};

int64_t start_of(const Setting& s, int64_t t) {
  int64_t start = 0;
  for (const int64_t first : s.documents) start = first <= t ? first : start;
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
  for (int64_t t = 0; t < (s.documents.empty() ? 0 : s.tokens); ++t) {
    test.arguments.push_back({i32, {s.batch, 1}, double(start_of(s, t)), double(start_of(s, t)) + 1});
  }
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    const Tensor starts = s.documents.empty() ? Tensor{} : concat({in.begin() + 4, in.end()}, 1);
    return {attention(in[0], in[1], in[2], starts, {s.p, kSeed, in[3]})};
  };
  test.reference = [=](const std::vector<Array>& in) { return reference(s, in); };
  return test;
}

// New tokens behind `lengths` old ones: the cache with the new tokens in it is what plain attention sees.
OpCase cached_case(const std::string& name, int64_t tokens, int64_t room, int64_t heads, int64_t groups, int64_t d,
                   const std::vector<int64_t>& lengths) {
  const int64_t batch = static_cast<int64_t>(lengths.size());
  OpCase test;
  test.name = "cached_attention, " + name;
  test.check_gradient = false;
  test.arguments = {{f32, {batch, tokens, heads, d}, -2, 2, false},
                    {f32, {batch, tokens, groups, d}, -2, 2, false},
                    {f32, {batch, tokens, groups, d}, -1, 1, false},
                    {f32, {batch, room, groups, d}, -2, 2, false, Kind::state},
                    {f32, {batch, room, groups, d}, -1, 1, false, Kind::state}};
  for (const int64_t length : lengths) test.arguments.push_back({i32, {1}, double(length), double(length) + 1});
  if (lengths.empty()) test.arguments.push_back({i32, {0}});
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    const Tensor old = concat({in.begin() + 5, in.end()}, 0);
    return {cached_attention(in[0], in[1], in[2], in[3], in[4], old), in[3], in[4]};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array out = in[0];
    std::vector<Array> caches = {in[3], in[4]};
    const int64_t row = groups * d;
    for (int64_t b = 0; b < batch; ++b) {
      const int64_t old = lengths[size_t(b)];
      for (int64_t i = 0; i < tokens * row; ++i) {
        caches[0][(b * room + old) * row + i] = in[1][b * tokens * row + i];
        caches[1][(b * room + old) * row + i] = in[2][b * tokens * row + i];
      }
      // Plain attention over the row's whole history, with queries of zeros for the old tokens.
      const int64_t all = old + tokens;
      std::vector<Array> whole = {Array({1, all, heads, d}), Array({1, all, groups, d}), Array({1, all, groups, d})};
      for (int64_t i = 0; i < all * row; ++i) {
        whole[1][i] = caches[0][b * room * row + i];
        whole[2][i] = caches[1][b * room * row + i];
      }
      for (int64_t i = 0; i < tokens * heads * d; ++i)
        whole[0][old * heads * d + i] = in[0][b * tokens * heads * d + i];
      const Setting setting{.batch = 1, .tokens = all, .heads = heads, .groups = groups, .head_size = d};
      const Array result = reference(setting, whole)[0];
      for (int64_t i = 0; i < tokens * heads * d; ++i) out[b * tokens * heads * d + i] = result[old * heads * d + i];
    }
    return std::vector<Array>{out, caches[0], caches[1]};
  };
  return test;
}

}  // namespace

std::vector<OpCase> attention_cases() {
  return {
      attention_case("one token", {.batch = 2, .tokens = 1, .heads = 2, .groups = 2, .head_size = 4}),
      attention_case("odd sizes", {.batch = 2, .tokens = 7, .heads = 3, .groups = 3, .head_size = 5}),
      attention_case("shared key heads", {.batch = 1, .tokens = 9, .heads = 4, .groups = 2, .head_size = 6}),
      attention_case("dropout", {.batch = 1, .tokens = 11, .heads = 2, .groups = 1, .head_size = 4, .p = 0.3f}),
      attention_case("more than a block",
                     {.batch = 1, .tokens = 70, .heads = 1, .groups = 1, .head_size = 3, .documents = {}, .p = 0.2f}),
      attention_case("documents apart",
                     {.batch = 2, .tokens = 12, .heads = 2, .groups = 1, .head_size = 4, .documents = {0, 5, 6}}),
      cached_case("one new token each", 1, 9, 2, 2, 4, {0, 3, 8}),
      cached_case("several, shared key heads", 5, 100, 4, 2, 6, {70, 0}),
      cached_case("one token, blocks of keys", 1, 150, 2, 1, 20, {130, 63, 64}),
      cached_case("one token, many shared heads", 1, 30, 18, 1, 5, {20}),
      cached_case("more than a block", 70, 200, 1, 1, 3, {130}),
      cached_case("no rows", 1, 4, 2, 2, 4, {}),
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
}

}  // namespace tinyllm::test
