#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using Tensors = std::vector<Tensor>;

// [outer, n, inner] and m indices along the axis.
struct Sizes {
  int64_t outer, n, m, inner;
  Shape shape() const { return {outer, n, inner}; }
  Shape indices() const { return {outer, m, inner}; }
  std::string str() const { return fmt::format("[{},{},{}] at {}", outer, n, inner, m); }
  bool is_small() const { return shape().size() < 1000; }
};

OpCase gather_case(const Sizes& s) {
  OpCase test;
  test.name = "gather " + s.str();
  test.tolerance = 0;
  test.arguments = {{f32, s.shape()}, {i32, s.indices(), 0, double(s.n)}};
  test.check_gradient = s.is_small();
  test.build = [](const Tensors& in) -> Tensors { return {gather(in[0], 1, in[1])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(s.indices());
    for (int64_t k = 0; k < y.shape.size(); ++k) {
      y[k] = in[0][(k / (s.m * s.inner) * s.n + int64_t(in[1][k])) * s.inner + k % s.inner];
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase scatter_add_case(const Sizes& s) {
  OpCase test;
  test.name = "scatter_add " + s.str();
  test.arguments = {{f32, s.shape()}, {i32, s.indices(), 0, double(s.n)}, {f32, s.indices()}};
  test.check_gradient = s.is_small();
  test.build = [](const Tensors& in) -> Tensors { return {scatter_add(in[0], -2, in[1], in[2])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y = in[0];
    for (int64_t k = 0; k < in[2].shape.size(); ++k) {
      y[(k / (s.m * s.inner) * s.n + int64_t(in[1][k])) * s.inner + k % s.inner] += in[2][k];
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase index_select_case(const Sizes& s) {
  OpCase test;
  test.name = "index_select " + s.str();
  test.tolerance = 0;
  test.arguments = {{f32, s.shape()}, {i32, {s.m}, 0, double(s.n)}};
  test.check_gradient = s.is_small();
  test.build = [](const Tensors& in) -> Tensors { return {index_select(in[0], 1, in[1])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(s.indices());
    for (int64_t k = 0; k < y.shape.size(); ++k) {
      const int64_t index = int64_t(in[1][k / s.inner % s.m]);
      y[k] = in[0][(k / (s.m * s.inner) * s.n + index) * s.inner + k % s.inner];
    }
    return std::vector<Array>{y};
  };
  return test;
}

OpCase one_hot_case(Shape shape, int64_t classes) {
  OpCase test;
  test.name = fmt::format("one_hot {} of {}", shape, classes);
  test.arguments = {{i32, shape, 0, double(classes)}};
  test.check_gradient = false;
  test.tolerance = 0;
  test.build = [=](const Tensors& in) -> Tensors { return {one_hot(in[0], classes)}; };
  test.reference = [=](const std::vector<Array>& in) {
    std::vector<int64_t> extents(shape.begin(), shape.end());
    extents.push_back(classes);
    Array y{Shape{std::span<const int64_t>(extents)}};
    for (int64_t i = 0; i < shape.size(); ++i) y[i * classes + int64_t(in[0][i])] = 1;
    return std::vector<Array>{y};
  };
  return test;
}

OpCase arange_case(double from, double to, double step, int64_t count) {
  OpCase test;
  test.name = fmt::format("arange {} to {} by {}", from, to, step);
  test.arguments = {{f32, {1}}};
  test.build = [=](const Tensors& in) -> Tensors { return {mul(arange(in[0].graph(), from, to, step), in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y({count});
    for (int64_t i = 0; i < count; ++i) y[i] = (from + double(i) * step) * in[0][0];
    return std::vector<Array>{y};
  };
  return test;
}

// By the definition in ops/sources.h. The op is the first node of its graph.
OpCase random_case(Shape shape, bool is_normal) {
  constexpr uint64_t kSeed = 0x123456789ABCDEF0;
  OpCase test;
  test.name = fmt::format("random_{} {}", is_normal ? "normal" : "uniform", shape);
  test.arguments = {{i32, {1}, 0, 1000}};
  test.check_gradient = false;
  test.build = [=](const Tensors& in) -> Tensors {
    const RandomSource source{kSeed, in[0]};
    return {is_normal ? random_normal(source, shape, 3, 0.5f) : random_uniform(source, shape, -2, 1)};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(shape);
    for (int64_t i = 0; i < shape.size(); ++i) {
      const auto words = philox({uint32_t(i / 4), 0, 0, uint32_t(in[0][0])}, {0x9ABCDEF0, 0x12345678});
      if (is_normal) {
        const double radius = std::sqrt(-2 * std::log((words[size_t(i % 4 / 2 * 2)] + 0.5) / 4294967296.0));
        const double angle = 2 * std::numbers::pi * words[size_t(i % 4 / 2 * 2 + 1)] / 4294967296.0;
        y[i] = 3 + 0.5 * radius * (i % 2 == 0 ? std::cos(angle) : std::sin(angle));
      } else {
        y[i] = -2 + 3 * std::floor(words[size_t(i % 4)] / 256.0) / 16777216.0;
      }
    }
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> indexing_cases() {
  std::vector<OpCase> all = {
      one_hot_case({2, 3}, 5), one_hot_case({0}, 5),          one_hot_case({}, 3),     one_hot_case({3000}, 11),
      arange_case(0, 5, 1, 5), arange_case(2, -1, -0.75, 4),  arange_case(3, 3, 1, 0), random_case({37}, false),
      random_case({0}, false), random_case({3, 1117}, false), random_case({38}, true), random_case({3, 1117}, true),
  };
  static constexpr Sizes kSizes[] = {
      {1, 5, 7, 1}, {2, 5, 3, 4}, {3, 4, 2, 1},    {2, 1, 3, 5},
      {2, 5, 0, 4}, {0, 5, 3, 4}, {2, 9, 20, 130}, {300, 7, 5, 11},
  };
  for (const Sizes& s : kSizes) {
    all.push_back(gather_case(s));
    all.push_back(scatter_add_case(s));
    all.push_back(index_select_case(s));
  }
  return all;
}

}  // namespace tinyllm::test
