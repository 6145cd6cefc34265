#include <tinyllm/ops/ops.h>

#include <algorithm>

#include "ops/cases.h"

namespace tinyllm::test {
namespace {

using Axes = std::vector<int>;
using Reduced = double (*)(const std::vector<double>&);

struct Row {
  const char* name;
  Tensor (*op)(Tensor, const Axes&, bool);
  Reduced f;
  double low = -1, high = 1;
};

double sum_of(const std::vector<double>& x) {
  double total = 0;
  for (const double a : x) total += a;
  return total;
}
double mean_of(const std::vector<double>& x) { return sum_of(x) / static_cast<double>(x.size()); }
template <int correction>
double var_of(const std::vector<double>& x) {
  double total = 0;
  for (const double a : x) total += (a - mean_of(x)) * (a - mean_of(x));
  return total / (static_cast<double>(x.size()) - correction);
}
double prod_of(const std::vector<double>& x) {
  double product = 1;
  for (const double a : x) product *= a;
  return product;
}

const Row kRows[] = {
    {"sum", [](Tensor x, const Axes& axes, bool keep) { return sum(x, axes, keep); }, sum_of},
    {"mean", [](Tensor x, const Axes& axes, bool keep) { return mean(x, axes, keep); }, mean_of},
    {"var", [](Tensor x, const Axes& axes, bool keep) { return var(x, axes, keep); }, var_of<0>},
    {"var, corrected", [](Tensor x, const Axes& axes, bool keep) { return var(x, axes, keep, 1); }, var_of<1>},
    {"max", [](Tensor x, const Axes& axes, bool keep) { return max(x, axes, keep); },
     [](const std::vector<double>& x) { return *std::max_element(x.begin(), x.end()); }},
    {"min", [](Tensor x, const Axes& axes, bool keep) { return min(x, axes, keep); },
     [](const std::vector<double>& x) { return *std::min_element(x.begin(), x.end()); }},
    {"prod", [](Tensor x, const Axes& axes, bool keep) { return prod(x, axes, keep); }, prod_of, 0.5, 1.5},
    {"any", [](Tensor x, const Axes& axes, bool keep) { return cast(any(cast(x, i32), axes, keep), f32); },
     [](const std::vector<double>& x) {
       return double(std::any_of(x.begin(), x.end(), [](double a) { return std::abs(a) >= 1; }));
     },
     -1.1, 1.1},
    {"all", [](Tensor x, const Axes& axes, bool keep) { return cast(all(cast(x, i32), axes, keep), f32); },
     [](const std::vector<double>& x) {
       return double(std::all_of(x.begin(), x.end(), [](double a) { return std::abs(a) >= 1; }));
     },
     -19, 19},
};

// The elements of x that each element of the result is made of, in row-major order.
std::vector<std::vector<double>> groups(const Array& x, const Axes& axes, int64_t results) {
  std::vector<std::vector<double>> of(static_cast<size_t>(results));
  for (int64_t i = 0; i < x.shape.size(); ++i) {
    int64_t rest = i, to = 0, stride = 1;
    for (int axis = x.shape.rank() - 1; axis >= 0; --axis) {
      const int64_t at = rest % x.shape[axis];
      rest /= x.shape[axis];
      if (std::find_if(axes.begin(), axes.end(), [&](int a) { return x.shape.axis(a) == axis; }) != axes.end())
        continue;
      to += at * stride;
      stride *= x.shape[axis];
    }
    of[static_cast<size_t>(to)].push_back(x[i]);
  }
  return of;
}

OpCase reduction(const Row& row, Shape shape, const Axes& axes, bool keep, Shape result) {
  OpCase test;
  test.name = fmt::format("{} of {} over ({})", row.name, shape, fmt::join(axes, ","));
  test.arguments = {{f32, shape, row.low, row.high}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {row.op(in[0], axes, keep)}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y(result);
    const auto of = groups(in[0], axes, result.size());
    for (size_t i = 0; i < of.size(); ++i) y.values[i] = row.f(of[i]);
    return std::vector<Array>{y};
  };
  return test;
}

OpCase whole(const char* name, Tensor (*op)(Tensor), Reduced f, Shape shape) {
  OpCase test;
  test.name = fmt::format("{} of all of {}", name, shape);
  test.arguments = {{f32, shape, -2, 2}};
  test.build = [=](const std::vector<Tensor>& in) -> std::vector<Tensor> { return {op(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) {
    Array y({1});
    y[0] = f(in[0].values);
    return std::vector<Array>{y};
  };
  return test;
}

}  // namespace

std::vector<OpCase> reduction_cases() {
  std::vector<OpCase> cases = {
      whole("max", max, [](const std::vector<double>& x) { return *std::max_element(x.begin(), x.end()); }, {3, 5}),
      whole("min", min, [](const std::vector<double>& x) { return *std::min_element(x.begin(), x.end()); }, {7}),
      whole("prod", prod, prod_of, {3, 3}),
      whole("prod", prod, prod_of, {0, 3}),
      whole(
          "any", [](Tensor x) { return cast(any(cast(x, i32)), f32); },
          [](const std::vector<double>& x) { return x.empty() ? 0.0 : 1.0; }, {40}),
      whole(
          "any", [](Tensor x) { return cast(any(cast(x, i32)), f32); },
          [](const std::vector<double>& x) { return x.empty() ? 0.0 : 1.0; }, {0}),
      whole(
          "all", [](Tensor x) { return cast(all(cast(x, i32)), f32); },
          [](const std::vector<double>& x) { return x.empty() ? 1.0 : 0.0; }, {40}),
      whole(
          "all", [](Tensor x) { return cast(all(cast(x, i32)), f32); },
          [](const std::vector<double>& x) { return x.empty() ? 1.0 : 0.0; }, {0}),
  };
  for (const Row& row : kRows) {
    cases.push_back(reduction(row, {3, 5}, {1}, false, {3}));
    cases.push_back(reduction(row, {3, 5}, {-2}, true, {1, 5}));
    cases.push_back(reduction(row, {2, 3, 2, 3}, {0, 2}, false, {3, 3}));
    cases.push_back(reduction(row, {2, 3, 2, 3}, {-1, 1}, true, {2, 1, 2, 1}));
    cases.push_back(reduction(row, {2, 3, 4}, {1, 2}, false, {2}));
    cases.push_back(reduction(row, {3, 7}, {0, 1}, false, Shape{}));
    cases.push_back(reduction(row, {2, 0, 3}, {2}, false, {2, 0}));
    for (const auto& [shape, axes, result] :
         {std::tuple<Shape, Axes, Shape>{{70, 301}, {1}, {70}}, {{301, 70}, {0}, {70}}, {{200000}, {0}, Shape{}}}) {
      if (std::string_view(row.name) == "prod") continue;  // They overflow.
      cases.push_back(reduction(row, shape, axes, false, result));
      cases.back().check_gradient = false;
    }
  }
  return cases;
}

}  // namespace tinyllm::test
