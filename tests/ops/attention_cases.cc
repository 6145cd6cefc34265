#include <tinyllm/ops/ops.h>

#include "cases.h"

#include <tinyllm/tensor/philox.h>

#include <algorithm>

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

double keep(const Setting& s, int64_t index) {
  if (s.p == 0) return 1;
  const auto words = philox({uint32_t(index / 4), 0, 0, uint32_t(kStep)}, {uint32_t(kSeed), 0});
  return double(words[size_t(index % 4)]) >= double(s.p) * 4294967296.0 ? 1 / (1 - double(s.p)) : 0;
}

std::vector<Array> reference(const Setting& s, const std::vector<Array>& in) {
  const auto [batch, tokens, heads, groups, d, documents, p, check] = s;
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
          const double w =
              weights[size_t(j - start_of(s, t))] / total * keep(s, ((b * heads + h) * tokens + t) * tokens + j);
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
      attention_case("an empty batch", {.batch = 0, .tokens = 5, .heads = 2, .groups = 2, .head_size = 4}),
      attention_case("several blocks", {.batch = 2,
                                        .tokens = 200,
                                        .heads = 4,
                                        .groups = 2,
                                        .head_size = 24,
                                        .documents = {},
                                        .p = 0.1f,
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
