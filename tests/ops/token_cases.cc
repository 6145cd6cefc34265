#include <tinyllm/ops/ops.h>

#include "cases.h"

namespace tinyllm::test {
namespace {

OpCase embedding_case(int64_t vocab, int64_t c, Shape tokens, bool check_gradient = true) {
  OpCase test;
  test.name = fmt::format("embedding, {} of {} by {}", tokens, vocab, c);
  test.arguments = {{f32, {vocab, c}}, {i32, tokens, 0, double(vocab)}};
  test.check_gradient = check_gradient;
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {embedding(in[0], in[1])}; };
  test.reference = [=](const std::vector<Array>& in) {
    std::vector<int64_t> extents(tokens.begin(), tokens.end());
    extents.push_back(c);
    Array y{Shape{std::span<const int64_t>(extents)}};
    for (int64_t i = 0; i < y.shape.size(); ++i) y[i] = in[0][int64_t(in[1][i / c]) * c + i % c];
    return std::vector<Array>{y};
  };
  return test;
}

// Targets are drawn from [-ignored, vocab) and those below 0 become kIgnore.
OpCase cross_entropy_case(int64_t rows, int64_t vocab, double ignored, bool check_gradient = true) {
  OpCase test;
  test.name = fmt::format("cross_entropy, {} rows of {}, {} ignored", rows, vocab, ignored);
  test.arguments = {{f32, {rows, vocab}, -4, 4}};
  test.check_gradient = check_gradient;
  // One target of a known value for each row: a target below 0 is kIgnore.
  const auto target = [=](int64_t row) {
    const int64_t t = (row * 7919) % (vocab + int64_t(ignored)) - int64_t(ignored);
    return t < 0 ? int64_t{kIgnore} : t;
  };
  for (int64_t row = 0; row < rows; ++row) {
    test.arguments.push_back({i32, {1}, double(target(row)), double(target(row)) + 1});
  }
  if (rows == 0) test.arguments.push_back({i32, {0}});
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {cross_entropy(in[0], concat({in.begin() + 1, in.end()}, 0))};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array loss({1});
    int64_t count = 0;
    for (int64_t row = 0; row < rows; ++row) {
      if (target(row) == kIgnore) continue;
      double total = 0;
      for (int64_t i = 0; i < vocab; ++i) total += std::exp(in[0][row * vocab + i]);
      loss[0] += std::log(total) - in[0][row * vocab + target(row)];
      ++count;
    }
    loss[0] /= double(std::max<int64_t>(count, 1));
    return std::vector<Array>{loss};
  };
  return test;
}

}  // namespace

std::vector<OpCase> token_cases() {
  return {
      embedding_case(7, 5, {2, 3}),          embedding_case(7, 5, {0}),
      embedding_case(50, 130, {300}, false), cross_entropy_case(6, 9, 0),
      cross_entropy_case(11, 5, 3),          cross_entropy_case(1, 1, 0),
      cross_entropy_case(3, 1, 1000),  // None counts: the loss is 0.
      cross_entropy_case(0, 5, 0),           cross_entropy_case(40, 1003, 100, false),
  };
}

}  // namespace tinyllm::test
