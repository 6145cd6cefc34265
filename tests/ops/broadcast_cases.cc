#include <tinyllm/ops/ops.h>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

// The element of an argument that is at element `i` of the output, by NumPy's rule.
int64_t aligned(const Shape& argument, const Shape& out, int64_t i) {
  int64_t index = 0, stride = 1;
  for (int axis = 1; axis <= out.rank(); ++axis) {
    const int64_t at = i % out[-axis];
    i /= out[-axis];
    if (axis > argument.rank()) continue;
    index += argument[-axis] == 1 ? 0 : at * stride;
    stride *= argument[-axis];
  }
  return index;
}

struct Shapes {
  Shape x, y, out;
};

using BinaryOp = Tensor (*)(Tensor, Tensor);
using BinaryFunction = double (*)(double, double);

struct Row {
  const char* name;
  BinaryOp op;
  BinaryFunction f;
  double low = -1, high = 1;
};

const Row kRows[] = {
    {"add", add, [](double a, double b) { return a + b; }},
    {"sub", sub, [](double a, double b) { return a - b; }},
    {"mul", mul, [](double a, double b) { return a * b; }},
    {"div", div, [](double a, double b) { return a / b; }, 0.5, 2},
    {"pow", [](Tensor x, Tensor y) { return pow(x, y); }, [](double a, double b) { return std::pow(a, b); }, 0.2, 3},
    {"minimum", minimum, [](double a, double b) { return std::min(a, b); }},
    {"maximum", maximum, [](double a, double b) { return std::max(a, b); }},
};

// i32 in, i32 out, tested as numbers.
template <BinaryOp op>
Tensor counted(Tensor x, Tensor y) {
  return cast(op(x, y), f32);
}
template <BinaryOp op>
Tensor of_whole(Tensor x, Tensor y) {
  return cast(op(cast(x, i32), cast(y, i32)), f32);
}
template <auto compare>
double truth(double a, double b) {
  return compare(std::trunc(a), std::trunc(b)) ? 1 : 0;
}
constexpr auto kEqual = [](double a, double b) { return a == b; };
constexpr auto kNotEqual = [](double a, double b) { return a != b; };
constexpr auto kLess = [](double a, double b) { return a < b; };
constexpr auto kLessEqual = [](double a, double b) { return a <= b; };
constexpr auto kGreater = [](double a, double b) { return a > b; };
constexpr auto kGreaterEqual = [](double a, double b) { return a >= b; };
constexpr auto kAnd = [](double a, double b) { return a != 0 && b != 0; };
constexpr auto kOr = [](double a, double b) { return a != 0 || b != 0; };

// Whole numbers, so that some are equal.
template <BinaryOp op>
Tensor of_floats(Tensor x, Tensor y) {
  return counted<op>(cast(cast(x, i32), f32), cast(cast(y, i32), f32));
}
const Row kTruths[] = {
    {"equal", of_floats<equal>, truth<kEqual>, -3, 3},
    {"not_equal", of_floats<not_equal>, truth<kNotEqual>, -3, 3},
    {"less", of_floats<less>, truth<kLess>, -3, 3},
    {"less_equal", of_floats<less_equal>, truth<kLessEqual>, -3, 3},
    {"greater", of_floats<greater>, truth<kGreater>, -3, 3},
    {"greater_equal", of_floats<greater_equal>, truth<kGreaterEqual>, -3, 3},
    {"equal, whole", of_whole<equal>, truth<kEqual>, -3, 3},
    {"not_equal, whole", of_whole<not_equal>, truth<kNotEqual>, -3, 3},
    {"less, whole", of_whole<less>, truth<kLess>, -3, 3},
    {"less_equal, whole", of_whole<less_equal>, truth<kLessEqual>, -3, 3},
    {"greater, whole", of_whole<greater>, truth<kGreater>, -3, 3},
    {"greater_equal, whole", of_whole<greater_equal>, truth<kGreaterEqual>, -3, 3},
    {"logical_and", of_whole<logical_and>, truth<kAnd>, -2, 2},
    {"logical_or", of_whole<logical_or>, truth<kOr>, -2, 2},
};

OpCase binary_case(const Row& row, const Shapes& shapes) {
  OpCase test;
  test.name = fmt::format("{}, {} and {}", row.name, shapes.x, shapes.y);
  test.arguments = {{f32, shapes.x, row.low, row.high}, {f32, shapes.y, row.low, row.high}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {row.op(in[0], in[1])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array out(shapes.out);
    for (int64_t i = 0; i < out.shape.size(); ++i) {
      out[i] = row.f(in[0][aligned(shapes.x, shapes.out, i)], in[1][aligned(shapes.y, shapes.out, i)]);
    }
    return std::vector<Array>{out};
  };
  test.tolerance = 2.5e-7;  // 2 units in the last place.
  return test;
}

OpCase where_case(Shape condition, const Shapes& shapes, bool whole) {
  OpCase test;
  test.name = fmt::format("where, {}, {} and {}", condition, shapes.x, shapes.y);
  test.arguments = {{i32, condition, -1, 3}, {f32, shapes.x, -9, 9}, {f32, shapes.y, -9, 9}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> {
    if (whole) return {cast(where(in[0], cast(in[1], i32), cast(in[2], i32)), f32)};
    return {where(in[0], in[1], in[2])};
  };
  test.reference = [=](const std::vector<Array>& in) {
    Array out(shapes.out);
    for (int64_t i = 0; i < out.shape.size(); ++i) {
      const double taken = in[0][aligned(condition, shapes.out, i)] != 0 ? in[1][aligned(shapes.x, shapes.out, i)]
                                                                         : in[2][aligned(shapes.y, shapes.out, i)];
      out[i] = whole ? std::trunc(taken) : taken;
    }
    return std::vector<Array>{out};
  };
  return test;
}

// Every way in which two shapes can be aligned.
const Shapes kShapes[] = {
    {{3, 37}, {3, 37}, {3, 37}},
    {{3, 37}, {3, 1}, {3, 37}},
    {{1}, {3, 5}, {3, 5}},
    {{5, 7}, {3, 5, 7}, {3, 5, 7}},
    {{3, 1, 7}, {1, 5, 1}, {3, 5, 7}},
    {{4, 1}, {5}, {4, 5}},
    {{2, 1, 3, 1, 5}, {3, 1, 4, 1}, {2, 3, 3, 4, 5}},
    {{1, 1, 3}, {3}, {1, 1, 3}},
    {{2, 3, 4}, Shape{}, {2, 3, 4}},
    {Shape{}, Shape{}, Shape{}},
    {{2, 1, 3}, {0, 3}, {2, 0, 3}},
    {{1}, {0}, {0}},
    {{0, 3}, {1, 3}, {0, 3}},
};

}  // namespace

std::vector<OpCase> broadcast_cases() {
  std::vector<OpCase> cases;
  for (const Row& row : kRows) {
    for (const Shapes& shapes : kShapes) cases.push_back(binary_case(row, shapes));
    for (const Shapes& shapes :
         {Shapes{{700, 70}, {70}, {700, 70}}, {{70, 1}, {1, 701}, {70, 701}}, {{1}, {40003}, {40003}}}) {
      cases.push_back(binary_case(row, shapes));
      cases.back().check_gradient = false;
    }
  }
  for (const Row& row : kTruths) {
    for (const Shapes& shapes : {kShapes[0], kShapes[4], kShapes[10], Shapes{{70, 1}, {1, 701}, {70, 701}}}) {
      cases.push_back(binary_case(row, shapes));
      cases.back().check_gradient = false;
    }
  }
  for (const bool whole : {false, true}) {
    for (const Shapes& shapes : kShapes) {
      cases.push_back(where_case(shapes.out, shapes, whole));
      cases.push_back(where_case({1}, {shapes.x, shapes.y, shapes.out.rank() == 0 ? Shape{1} : shapes.out}, whole));
    }
    cases.push_back(where_case({3, 1}, {{1}, {1, 5}, {3, 5}}, whole));
    cases.push_back(where_case({5}, {{3, 1}, {1}, {3, 5}}, whole));
    cases.push_back(where_case({1, 5}, {{1}, {1}, {1, 5}}, whole));
  }
  return cases;
}

}  // namespace tinyllm::test
