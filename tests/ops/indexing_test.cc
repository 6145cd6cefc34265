#include <doctest/doctest.h>

#include <tinyllm/ops/gradients.h>
#include <tinyllm/ops/ops.h>
#include <tinyllm/tensor/program.h>

#include <cmath>
#include <functional>
#include <vector>

namespace tinyllm::test {
namespace {

// The f32 result of one op without inputs besides a step.
std::vector<float> numbers(int32_t step, const std::function<Tensor(Graph&, Tensor)>& op) {
  Graph g;
  const Tensor at = g.input("step", i32, {1});
  const Tensor y = op(g, at);
  Program program = compile(g, {y}, {.pool = ThreadPool(2)});
  program.write("step", std::vector<int32_t>{step});
  program.run();
  const auto found = program.read<float>(y);
  return {found.begin(), found.end()};
}

}  // namespace

TEST_CASE("an index outside its axis is named with its position when the program runs") {
  Graph g;
  const Tensor x = g.input("x", f32, {2, 3});
  const Tensor at = g.input("at", i32, {2, 3});
  const Tensor flat = g.input("flat", i32, {3});
  struct Case {
    Tensor y;
    const char* name;
    const char* below;
    const char* above;
  };
  const Case cases[] = {
      {gather(x, 0, at), "at", "gather: index -1 at position 2, expected 0 to 1",
       "gather: index 2 at position 2, expected 0 to 1"},
      {scatter_add(x, 0, at, x), "at", "scatter_add: index -1 at position 2, expected 0 to 1",
       "scatter_add: index 2 at position 2, expected 0 to 1"},
      {index_select(x, 0, flat), "flat", "index_select: index -1 at position 2, expected 0 to 1",
       "index_select: index 2 at position 2, expected 0 to 1"},
      {one_hot(flat, 2), "flat", "one_hot: index -1 at position 2, expected 0 to 1",
       "one_hot: index 2 at position 2, expected 0 to 1"},
  };
  for (const Case& c : cases) {
    Program program = compile(g, {c.y}, {.pool = ThreadPool(2)});
    std::vector<int32_t> indices(size_t(g.find(c.name).shape().size()), 1);
    program.write(c.name, indices);
    CHECK_NOTHROW(program.run());
    indices[2] = -1;
    program.write(c.name, indices);
    CHECK_THROWS_WITH_AS(program.run(), c.below, Error);
    indices[2] = 2;
    program.write(c.name, indices);
    CHECK_THROWS_WITH_AS(program.run(), c.above, Error);
  }
}

TEST_CASE("a gradient checks its indices too: nothing is written outside it") {
  Graph g;
  const Tensor x = g.input("x", f32, {2, 3});
  const Tensor at = g.input("at", i32, {2, 3});
  const Tensor flat = g.input("flat", i32, {3});
  struct Case {
    Tensor y;
    const char* name;
    const char* message;
  };
  const Case cases[] = {
      {gather(x, 0, at), "at", "gather: index 1000000 at position 2, expected 0 to 1"},
      {index_select(x, 0, flat), "flat", "index_select: index 1000000 at position 2, expected 0 to 1"},
      {embedding(x, flat), "flat", "embedding: token 1000000 at position 2, expected 0 to 1"},
  };
  for (const Case& c : cases) {
    // The sum has a gradient without running the op.
    Program program = compile(g, gradients(sum(c.y), {x}), {.pool = ThreadPool(2)});
    std::vector<int32_t> indices(size_t(g.find(c.name).shape().size()), 1);
    indices[2] = 1000000;
    program.write(c.name, indices);
    CHECK_THROWS_WITH_AS(program.run(), c.message, Error);
  }
}

TEST_CASE("integers are moved like floats") {
  Graph g;
  const Tensor x = arange(g, 10, 16, 1, i32);
  const std::vector<std::pair<Tensor, std::vector<int32_t>>> cases = {
      {x, {10, 11, 12, 13, 14, 15}},
      {arange(g, 3, -3, -2, i32), {3, 1, -1}},
      {arange(g, -2147483648.0, -2147483646.0, 1, i32), {-2147483647 - 1, -2147483647}},
      {arange(g, 2147483646, 2147483648.0, 1, i32), {2147483646, 2147483647}},
      {transpose(reshape(x, {2, 3}), 0, 1), {10, 13, 11, 14, 12, 15}},
      {flip(x, 0), {15, 14, 13, 12, 11, 10}},
      {pad(arange(g, 1, 3, 1, i32), {{1, 2}}, -7), {-7, 1, 2, -7, -7}},
      {repeat(arange(g, 1, 3, 1, i32), {2}), {1, 2, 1, 2}},
      {index_select(x, 0, arange(g, 5, -1, -3, i32)), {15, 12}},
      {gather(x, 0, arange(g, 0, 2, 1, i32)), {10, 11}},
  };
  std::vector<Tensor> outputs;
  for (const auto& [tensor, expected] : cases) outputs.push_back(tensor);
  Program program = compile(g, outputs, {.pool = ThreadPool(2)});
  program.run();
  for (const auto& [tensor, expected] : cases) {
    const auto found = program.read<int32_t>(tensor);
    CHECK_MESSAGE(std::vector<int32_t>(found.begin(), found.end()) == expected, tensor.str());
  }
}

TEST_CASE("triu and tril drop what is not a number") {
  Graph g;
  const Tensor y = triu(mul(ones(g, {3, 3}), full(g, {1}, std::nanf(""))), 1);
  Program program = compile(g, {y}, {.pool = ThreadPool(1)});
  program.run();
  const auto found = program.read<float>(y);
  for (size_t i = 0; i < 9; ++i) CHECK(std::isnan(found[i]) == (i % 3 > i / 3));
}

TEST_CASE("random numbers have their distribution, and differ by step, seed and op") {
  constexpr int64_t kCount = 100000;
  const auto uniform = [](uint64_t seed) {
    return [=](Graph&, Tensor step) { return random_uniform({seed, step}, {kCount}); };
  };
  const auto normal = [](Graph&, Tensor step) { return random_normal({1, step}, {kCount}); };
  const auto second = [](Graph& g, Tensor step) {
    arange(g, 0, 1);
    return random_uniform({1, step}, {kCount});
  };
  const std::vector<float> a = numbers(1, uniform(1));
  CHECK(a == numbers(1, uniform(1)));
  for (const auto& other : {numbers(2, uniform(1)), numbers(1, uniform(2)), numbers(1, second)}) {
    int64_t same = 0;
    for (size_t i = 0; i < a.size(); ++i) same += a[i] == other[i] ? 1 : 0;
    CHECK(same < 5);  // Of 24 bits, 100000 / 2^24 on average.
  }
  // Five standard deviations of the mean of n numbers of a deviation d are 5 d / sqrt(n). The mean of squares of normal
  // numbers has the deviation sqrt(2).
  const auto moment = [](const std::vector<float>& x, int power) {
    double total = 0;
    for (const float v : x) total += std::pow(double(v), power);
    return total / double(x.size());
  };
  const double bound = 5 / std::sqrt(double(kCount));
  CHECK(std::abs(moment(a, 1) - 0.5) < bound * std::sqrt(1.0 / 12));
  CHECK(std::abs(moment(a, 2) - 1.0 / 3) < bound * std::sqrt(4.0 / 45));
  for (const float x : a) CHECK_UNARY(x >= 0 && x < 1);
  const std::vector<float> n = numbers(1, normal);
  CHECK(std::abs(moment(n, 1)) < bound);
  CHECK(std::abs(moment(n, 2) - 1) < bound * std::sqrt(2.0));
  CHECK(std::abs(moment(n, 4) - 3) < bound * std::sqrt(96.0));
}

TEST_CASE("shapes, axes and counts of moving ops are checked while building") {
  Graph g;
  const Tensor x = g.input("x", f32, {2, 3});
  const Tensor halves = g.input("halves", f16, {2, 3});
  const Tensor at = g.input("at", i32, {2, 4});
  const Tensor one = g.input("one", i32, {1});
  struct Case {
    std::function<void()> build;
    const char* message;
  };
  const Case cases[] = {
      {[&] { transpose(x, 0, 2); }, "shape [2,3]: no axis 2"},
      {[&] { flip(halves, 0); }, "flip: halves [2,3] is f16, expected f32 or i32"},
      {[&] { squeeze(x, 1); }, "squeeze: x x [2,3]: axis 1 has 3 elements, expected 1"},
      {[&] { unsqueeze(x, 3); }, "unsqueeze: x x [2,3]: new axis 3, expected -3 to 2"},
      {[&] { stack({}, 0); }, "stack: nothing to join"},
      {[&] {
         stack({x, at}, 0);
       },
       "stack: x [2,3] f32 and at [2,4] i32: expected one shape and type"},
      {[&] {
         broadcast_to(x, {2, 4});
       },
       "broadcast_to: x x [2,3] to [2,4]: expected each extent to be 1 or that of the result, from the innermost on"},
      {[&] { broadcast_to(x, {3}); },
       "broadcast_to: x x [2,3] to [3]: expected each extent to be 1 or that of the result, from the innermost on"},
      {[&] { repeat(x, {2}); }, "repeat: x x [2,3]: 1 counts, expected one for each axis"},
      {[&] {
         repeat(x, {2, -1});
       },
       "repeat: x x [2,3]: -1 times along axis 1, expected 0 or more"},
      {[&] {
         repeat(x, {int64_t{1} << 40, int64_t{1} << 40});
       },
       "shape [2199023255552,3298534883328]: too many elements, expected at most 2^56"},
      {[&] {
         pad(x, {{1, 1}});
       },
       "pad: x x [2,3]: 1 widths, expected one for each axis"},
      {[&] {
         pad(x, {{1, 1}, {0, -1}});
       },
       "pad: x x [2,3]: 0 before and -1 after axis 1, expected 0 or more"},
      {[&] {
         pad(at, {{1, 0}, {0, 0}}, 0.5f);
       },
       "pad: x at [2,4]: value 0.5, expected a whole number of 32 bits for i32"},
      {[&] {
         pad(at, {{1, 0}, {0, 0}}, 3e9f);
       },
       "pad: x at [2,4]: value 3000000000, expected a whole number of 32 bits for i32"},
      {[&] { triu(g.input("v", f32, {3})); }, "triu: x v [3]: expected [..., M, N]"},
      {[&] { gather(x, 0, at); }, "gather: x x [2,3] and indices at [2,4]: expected the same extents, but for axis 0"},
      {[&] { gather(x, 0, x); }, "gather: x [2,3] is f32, expected i32"},
      {[&] { scatter_add(x, 1, at, x); }, "scatter_add: x [2,3]: expected [2,4]"},
      {[&] { index_select(x, 1, at); }, "index_select: indices at [2,4]: expected [N]"},
      {[&] { one_hot(at, 0); }, "one_hot: 0 classes, expected at least 1"},
      {[&] { arange(g, 0, 1, 0); }, "arange: from 0 to 1 by 0: expected finite numbers and a step other than 0"},
      {[&] { arange(g, 0, 1, 0.5, i32); }, "arange: from 0 to 1 by 0.5: expected whole numbers of 32 bits for i32"},
      {[&] { arange(g, 0, 5e9, 2e9, i32); },
       "arange: from 0 to 5000000000 by 2000000000: expected whole numbers of 32 bits for i32"},
      {[&] { arange(g, 0, 1, 1, f16); }, "arange: type f16, expected f32 or i32"},
      {[&] { arange(g, 0, 1e300); }, "arange: from 0 to 1e+300 by 1: 1e+300 elements, expected at most 2^56"},
      {[&] {
         random_uniform({1, one}, {3}, 2, 1);
       },
       "random_uniform: start 2 and width -1, expected finite numbers and a width of at least 0"},
      {[&] {
         random_normal({1, at}, {3});
       },
       "random_normal: at [2,4]: expected [1]"},
  };
  for (const Case& c : cases) CHECK_THROWS_WITH_AS(c.build(), c.message, Error);
}

}  // namespace tinyllm::test
