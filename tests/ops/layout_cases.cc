#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using Tensors = std::vector<Tensor>;
using Index = std::vector<int64_t>;  // One number for each axis.

Index index_of(const Shape& shape, int64_t i) {
  Index index(size_t(shape.rank()));
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    index[size_t(axis)] = i % shape[axis];
    i /= shape[axis];
  }
  return index;
}

int64_t position(const Shape& shape, const Index& index) {
  int64_t at = 0;
  for (int axis = 0; axis < shape.rank(); ++axis) at = at * shape[axis] + index[size_t(axis)];
  return at;
}

// The element of the argument that an element of the result is. With an index outside the argument it is `outside`.
using From = std::function<Index(Index)>;

OpCase layout_case(const std::string& name, Shape from, Shape to, std::function<Tensor(Tensor)> op, From source,
                   double outside = 0) {
  OpCase test;
  test.name = name;
  test.arguments = {{f32, from}};
  test.tolerance = 0;
  test.check_gradient = from.size() < 1000;
  test.build = [op = std::move(op)](const Tensors& in) -> Tensors { return {op(in[0])}; };
  test.reference = [=, source = std::move(source)](const std::vector<Array>& in) {
    Array y(to);
    for (int64_t i = 0; i < to.size(); ++i) {
      const Index index = source(index_of(to, i));
      bool inside = true;
      for (int axis = 0; axis < from.rank(); ++axis) {
        inside = inside && index[size_t(axis)] >= 0 && index[size_t(axis)] < from[axis];
      }
      y[i] = inside ? in[0][position(from, index)] : outside;
    }
    return std::vector<Array>{y};
  };
  return test;
}

std::vector<OpCase> axis_cases() {
  return {
      layout_case(
          "transpose", {2, 3, 5}, {5, 3, 2}, [](Tensor x) { return transpose(x, 0, -1); },
          [](Index i) {
            return Index{i[2], i[1], i[0]};
          }),
      layout_case(
          "transpose of many", {70, 300}, {300, 70}, [](Tensor x) { return transpose(x, 0, 1); },
          [](Index i) {
            return Index{i[1], i[0]};
          }),
      layout_case(
          "squeeze", {2, 1, 3}, {2, 3}, [](Tensor x) { return squeeze(x, -2); },
          [](Index i) {
            return Index{i[0], 0, i[1]};
          }),
      layout_case(
          "unsqueeze at the end", {2, 3}, {2, 3, 1}, [](Tensor x) { return unsqueeze(x, -1); },
          [](Index i) {
            return Index{i[0], i[1]};
          }),
      layout_case(
          "unsqueeze at the front", {2, 3}, {1, 2, 3}, [](Tensor x) { return unsqueeze(x, 0); },
          [](Index i) {
            return Index{i[1], i[2]};
          }),
      layout_case(
          "flip of the last axis", {3, 7}, {3, 7}, [](Tensor x) { return flip(x, -1); },
          [](Index i) {
            return Index{i[0], 6 - i[1]};
          }),
      layout_case(
          "flip of a middle axis", {2, 3, 5}, {2, 3, 5}, [](Tensor x) { return flip(x, 1); },
          [](Index i) {
            return Index{i[0], 2 - i[1], i[2]};
          }),
      layout_case(
          "flip of nothing", {0, 3}, {0, 3}, [](Tensor x) { return flip(x, 0); }, [](Index i) { return i; }),
      layout_case(
          "flip of many", {301, 130}, {301, 130}, [](Tensor x) { return flip(x, 0); },
          [](Index i) {
            return Index{300 - i[0], i[1]};
          }),
  };
}

std::vector<OpCase> repeat_cases() {
  return {
      layout_case(
          "broadcast_to of rows", {3, 1}, {3, 5},
          [](Tensor x) {
            return broadcast_to(x, {3, 5});
          },
          [](Index i) {
            return Index{i[0], 0};
          }),
      layout_case(
          "broadcast_to with new axes", {3, 1, 2}, {4, 3, 5, 2},
          [](Tensor x) {
            return broadcast_to(x, {4, 3, 5, 2});
          },
          [](Index i) {
            return Index{i[1], 0, i[3]};
          }),
      layout_case(
          "broadcast_to of one number", {}, {4, 3},
          [](Tensor x) {
            return broadcast_to(x, {4, 3});
          },
          [](Index) { return Index{}; }),
      layout_case(
          "broadcast_to nothing", {1, 3}, {0, 3},
          [](Tensor x) {
            return broadcast_to(x, {0, 3});
          },
          [](Index i) {
            return Index{0, i[1]};
          }),
      layout_case(
          "broadcast_to many", {1, 300}, {200, 300},
          [](Tensor x) {
            return broadcast_to(x, {200, 300});
          },
          [](Index i) {
            return Index{0, i[1]};
          }),
      layout_case(
          "repeat", {2, 3}, {4, 9},
          [](Tensor x) {
            return repeat(x, {2, 3});
          },
          [](Index i) {
            return Index{i[0] % 2, i[1] % 3};
          }),
      layout_case(
          "repeat of one axis", {2, 3, 5}, {2, 12, 5},
          [](Tensor x) {
            return repeat(x, {1, 4, 1});
          },
          [](Index i) {
            return Index{i[0], i[1] % 3, i[2]};
          }),
      layout_case(
          "repeat no times", {2, 3}, {2, 0},
          [](Tensor x) {
            return repeat(x, {1, 0});
          },
          [](Index i) { return i; }),
  };
}

std::vector<OpCase> pad_cases() {
  return {
      layout_case(
          "pad", {2, 3}, {5, 6},
          [](Tensor x) {
            return pad(x, {{1, 2}, {3, 0}}, 0.5f);
          },
          [](Index i) {
            return Index{i[0] - 1, i[1] - 3};
          },
          0.5),
      layout_case(
          "pad of images", {2, 1, 3, 4}, {2, 1, 5, 6},
          [](Tensor x) {
            return pad(x, {{0, 0}, {0, 0}, {1, 1}, {1, 1}});
          },
          [](Index i) {
            return Index{i[0], i[1], i[2] - 1, i[3] - 1};
          }),
      layout_case(
          "pad of nothing", {2, 0}, {2, 3},
          [](Tensor x) {
            return pad(x, {{0, 0}, {1, 2}}, -2);
          },
          [](Index i) {
            return Index{i[0], -1};
          },
          -2),
      layout_case(
          "pad of many", {300, 70}, {301, 77},
          [](Tensor x) {
            return pad(x, {{0, 1}, {3, 4}});
          },
          [](Index i) {
            return Index{i[0], i[1] - 3};
          }),
      layout_case(
          "triu", {2, 3, 4}, {2, 3, 4}, [](Tensor x) { return triu(x); },
          [](Index i) {
            return i[2] >= i[1] ? i : Index{-1, -1, -1};
          }),
      layout_case(
          "triu above the diagonal", {4, 3}, {4, 3}, [](Tensor x) { return triu(x, 2); },
          [](Index i) {
            return i[1] - i[0] >= 2 ? i : Index{-1, -1};
          }),
      layout_case(
          "triu below the matrix", {4, 3}, {4, 3}, [](Tensor x) { return triu(x, -100); }, [](Index i) { return i; }),
      layout_case(
          "tril", {4, 3}, {4, 3}, [](Tensor x) { return tril(x); },
          [](Index i) {
            return i[1] <= i[0] ? i : Index{-1, -1};
          }),
      layout_case(
          "tril below the diagonal", {3, 5}, {3, 5}, [](Tensor x) { return tril(x, -1); },
          [](Index i) {
            return i[1] - i[0] <= -1 ? i : Index{-1, -1};
          }),
      layout_case(
          "tril of nothing", {0, 3}, {0, 3}, [](Tensor x) { return tril(x, 5); }, [](Index i) { return i; }),
      layout_case(
          "tril of many", {3, 130, 70}, {3, 130, 70}, [](Tensor x) { return tril(x, 7); },
          [](Index i) {
            return i[2] - i[1] <= 7 ? i : Index{-1, -1, -1};
          }),
  };
}

OpCase stack_case(int axis, Shape result) {
  OpCase test;
  test.name = fmt::format("stack on axis {}", axis);
  test.arguments = {{f32, {2, 3}}, {f32, {2, 3}}, {f32, {2, 3}}, {f32, {2, 3}}};
  test.tolerance = 0;
  test.build = [=](const Tensors& in) -> Tensors { return {stack(in, axis)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(result);
    const int at = axis < 0 ? axis + 3 : axis;
    for (int64_t i = 0; i < result.size(); ++i) {
      Index index = index_of(result, i);
      const int64_t part = index[size_t(at)];
      index.erase(index.begin() + at);
      y[i] = in[size_t(part)][position({2, 3}, index)];
    }
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> layout_cases() {
  std::vector<OpCase> all = {stack_case(0, {4, 2, 3}), stack_case(1, {2, 4, 3}), stack_case(-1, {2, 3, 4})};
  for (const auto& part : {axis_cases, repeat_cases, pad_cases}) {
    for (OpCase& test : part()) all.push_back(std::move(test));
  }
  return all;
}

}  // namespace tinyllm::test
