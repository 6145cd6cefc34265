#include <tinyllm/ops/ops.h>
#include <tinyllm/ops/quantized.h>

#include "ops/cases.h"

#include <cmath>

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

// Targets of known values: drawn from [-ignored, vocab), those below 0 become kIgnore.
struct Targets {
  int64_t rows, vocab, ignored;

  int64_t operator[](int64_t row) const {
    const int64_t t = (row * 7919) % (vocab + ignored) - ignored;
    return t < 0 ? int64_t{kIgnore} : t;
  }
  // One argument for each row.
  void add_to(std::vector<Argument>& arguments) const {
    for (int64_t row = 0; row < rows; ++row) {
      arguments.push_back({i32, {1}, double((*this)[row]), double((*this)[row]) + 1});
    }
    if (rows == 0) arguments.push_back({i32, {0}});
  }
  // `logit(row, i)` is the score of class i.
  template <class Logit>
  std::vector<Array> mean_loss(Logit logit, double z_loss = 0) const {
    Array loss({1});
    int64_t count = 0;
    for (int64_t row = 0; row < rows; ++row) {
      if ((*this)[row] == kIgnore) continue;
      double total = 0;
      for (int64_t i = 0; i < vocab; ++i) total += std::exp(logit(row, i));
      const double lse = std::log(total);
      loss[0] += lse - logit(row, (*this)[row]) + z_loss * lse * lse;
      ++count;
    }
    loss[0] /= double(std::max<int64_t>(count, 1));
    return {loss};
  }
};

OpCase cross_entropy_case(int64_t rows, int64_t vocab, int64_t ignored, bool check_gradient = true) {
  const Targets targets{rows, vocab, ignored};
  OpCase test;
  test.name = fmt::format("cross_entropy, {} rows of {}, {} ignored", rows, vocab, ignored);
  test.arguments = {{f32, {rows, vocab}, -4, 4}};
  targets.add_to(test.arguments);
  test.check_gradient = check_gradient;
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {cross_entropy(in[0], concat({in.begin() + 1, in.end()}, 0))};
  };
  test.reference = [=](const std::vector<Array>& in) {
    return targets.mean_loss([&](int64_t row, int64_t i) { return in[0][row * vocab + i]; });
  };
  return test;
}

// Of a packed head, only the gradient of x is there.
Argument head_argument(Type type, Shape shape) {
  return {type, shape, -2, 2, type == f32, type == f32 ? Kind::input : Kind::parameter};
}

OpCase linear_cross_entropy_case(int64_t rows, int64_t c, int64_t vocab, int64_t ignored, bool check_gradient = true,
                                 float z_loss = 0, Type type = f32) {
  const Targets targets{rows, vocab, ignored};
  OpCase test;
  test.name = fmt::format("linear_cross_entropy, {}, {} rows of {} to {}, {} ignored, z loss {}", type.str(), rows, c,
                          vocab, ignored, z_loss);
  test.arguments = {{f32, {rows, c}, -2, 2}, head_argument(type, {vocab, c})};
  targets.add_to(test.arguments);
  test.check_gradient = check_gradient;
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {linear_cross_entropy(in[0], in[1], concat({in.begin() + 2, in.end()}, 0), z_loss)};
  };
  test.reference = [=](const std::vector<Array>& in) {
    return targets.mean_loss(
        [&](int64_t row, int64_t i) {
          double logit = 0;
          for (int64_t k = 0; k < c; ++k) logit += in[0][row * c + k] * in[1][i * c + k];
          return logit;
        },
        double(z_loss));
  };
  return test;
}

OpCase token_log_probs_case(int64_t rows, int64_t c, int64_t vocab, int64_t ignored, bool check_gradient = true,
                            Type type = f32) {
  const Targets targets{rows, vocab, ignored};
  OpCase test;
  test.name = fmt::format("token_log_probs, {}, {} rows of {} to {}, {} ignored", type.str(), rows, c, vocab, ignored);
  test.arguments = {{f32, {rows, c}, -2, 2}, head_argument(type, {vocab, c})};
  targets.add_to(test.arguments);
  test.check_gradient = check_gradient;
  test.build = [](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    return {token_log_probs(in[0], in[1], concat({in.begin() + 2, in.end()}, 0))};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array log_probs({rows});
    for (int64_t row = 0; row < rows; ++row) {
      if (targets[row] == kIgnore) continue;
      double sum = 0;
      double chosen = 0;
      for (int64_t i = 0; i < vocab; ++i) {
        double logit = 0;
        for (int64_t k = 0; k < c; ++k) logit += in[0][row * c + k] * in[1][i * c + k];
        sum += std::exp(logit);
        if (i == targets[row]) chosen = logit;
      }
      log_probs[row] = chosen - std::log(sum);
    }
    return std::vector<Array>{log_probs};
  };
  return test;
}

}  // namespace

std::vector<OpCase> token_cases() {
  std::vector<OpCase> cases = {
      embedding_case(7, 5, {2, 3}),
      embedding_case(7, 5, {0}),
      embedding_case(50, 130, {300}, false),
      cross_entropy_case(6, 9, 0),
      cross_entropy_case(11, 5, 3),
      cross_entropy_case(1, 1, 0),
      cross_entropy_case(3, 1, 1000),  // None counts: the loss is 0.
      cross_entropy_case(0, 5, 0),
      cross_entropy_case(40, 1003, 100, false),
      linear_cross_entropy_case(6, 7, 9, 0),
      linear_cross_entropy_case(11, 4, 5, 3),
      linear_cross_entropy_case(3, 2, 1, 1000),
      linear_cross_entropy_case(0, 3, 5, 0),
      linear_cross_entropy_case(530, 1, 4, 1),  // More than a chunk.
      linear_cross_entropy_case(1100, 40, 130, 9, false),
      linear_cross_entropy_case(11, 4, 5, 3, true, 0.1f),
      token_log_probs_case(6, 7, 9, 0),
      token_log_probs_case(11, 4, 5, 3),
      token_log_probs_case(3, 2, 1, 1000),
      token_log_probs_case(0, 3, 5, 0),
      token_log_probs_case(530, 1, 4, 1),  // More than a chunk.
      token_log_probs_case(1100, 40, 130, 9, false),
  };
  for (const Type type : kPackedTypes) {
    cases.push_back(linear_cross_entropy_case(6, 32, 37, 2, true, 0.1f, type));
    cases.push_back(linear_cross_entropy_case(600, 64, 70, 9, false, 0, type));  // More than a chunk.
    cases.push_back(token_log_probs_case(6, 32, 37, 2, true, type));
  }
  return cases;
}

}  // namespace tinyllm::test
