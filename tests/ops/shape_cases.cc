#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

// An op that moves elements: element i of result r is element `from(r, i)` of argument `argument(r, i)`.
struct Source {
  size_t argument;
  int64_t element;
};
OpCase moving(const std::string& name, const std::vector<Shape>& arguments, const std::vector<Shape>& results,
              std::function<std::vector<Tensor>(const std::vector<Tensor>&)> build,
              const std::function<Source(size_t, int64_t)>& from) {
  OpCase test;
  test.name = name;
  for (const Shape& shape : arguments) test.arguments.push_back({f32, shape});
  test.build = std::move(build);
  test.tolerance = 0;
  test.reference = [=](const std::vector<Array>& in) {
    std::vector<Array> out;
    for (size_t r = 0; r < results.size(); ++r) {
      Array& result = out.emplace_back(results[r]);
      for (int64_t i = 0; i < results[r].size(); ++i) {
        const Source source = from(r, i);
        result[i] = in[source.argument][source.element];
      }
    }
    return out;
  };
  return test;
}

using Tensors = std::vector<Tensor>;

}  // namespace

std::vector<OpCase> shape_cases() {
  const auto same = [](size_t, int64_t i) { return Source{0, i}; };
  return {
      moving(
          "reshape", {{2, 3, 4}}, {{6, 4}},
          [](const Tensors& in) -> Tensors {
            return {reshape(in[0], {6, -1})};
          },
          same),
      moving(
          "reshape of nothing", {{0, 3}}, {{3, 0}},
          [](const Tensors& in) -> Tensors {
            return {reshape(in[0], {3, 0})};
          },
          same),
      moving(
          "permute", {{2, 3, 5}}, {{5, 2, 3}},
          [](const Tensors& in) -> Tensors {
            return {permute(in[0], {2, 0, 1})};
          },
          [](size_t, int64_t i) {
            return Source{0, i / 3 % 2 * 15 + i % 3 * 5 + i / 6};
          }),
      moving(
          "permute, rows stay whole", {{2, 3, 5}}, {{3, 2, 5}},
          [](const Tensors& in) -> Tensors {
            return {permute(in[0], {1, 0, -1})};
          },
          [](size_t, int64_t i) {
            return Source{0, i / 5 % 2 * 15 + i / 10 * 5 + i % 5};
          }),
      moving(
          "permute of nothing", {{0, 3}}, {{3, 0}},
          [](const Tensors& in) -> Tensors {
            return {permute(in[0], {1, 0})};
          },
          same),
      moving(
          "slice of rows", {{5, 3}}, {{2, 3}}, [](const Tensors& in) -> Tensors { return {slice(in[0], 0, 1, 3)}; },
          [](size_t, int64_t i) {
            return Source{0, i + 3};
          }),
      moving(
          "slice of columns", {{4, 7}}, {{4, 2}}, [](const Tensors& in) -> Tensors { return {slice(in[0], -1, 5, 7)}; },
          [](size_t, int64_t i) {
            return Source{0, i / 2 * 7 + 5 + i % 2};
          }),
      moving(
          "slice of nothing", {{4, 7}}, {{4, 0}}, [](const Tensors& in) -> Tensors { return {slice(in[0], 1, 3, 3)}; },
          same),
      moving(
          "concat", {{2, 3}, {2, 0}, {2, 1}}, {{2, 4}}, [](const Tensors& in) -> Tensors { return {concat(in, 1)}; },
          [](size_t, int64_t i) {
            return i % 4 < 3 ? Source{0, i / 4 * 3 + i % 4} : Source{2, i / 4};
          }),
      moving(
          "concat of rows", {{2, 3}, {1, 3}}, {{3, 3}}, [](const Tensors& in) -> Tensors { return {concat(in, 0)}; },
          [](size_t, int64_t i) {
            return i < 6 ? Source{0, i} : Source{1, i - 6};
          }),
      moving(
          "split", {{3, 4}}, {{3, 1}, {3, 3}},
          [](const Tensors& in) -> Tensors {
            return split(in[0], 1, {1, 3});
          },
          [](size_t r, int64_t i) {
            return r == 0 ? Source{0, i * 4} : Source{0, i / 3 * 4 + 1 + i % 3};
          }),
      moving(
          "split, a part unused", {{3, 4}}, {{3, 3}},
          [](const Tensors& in) -> Tensors {
            return {split(in[0], 1, {1, 3})[1]};
          },
          [](size_t, int64_t i) {
            return Source{0, i / 3 * 4 + 1 + i % 3};
          }),
  };
}

}  // namespace tinyllm::test
