#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <numeric>

#include "ops/cases.h"

// Ops along one axis: those that find, order or sum up its elements.
namespace tinyllm::test {
namespace {

using Tensors = std::vector<Tensor>;
using Line = std::vector<double>;

// Applies `f` to each line of x along an axis, and puts its results in place of the line.
Array along(const Array& x, int axis, const std::function<Line(const Line&)>& f) {
  axis = x.shape.axis(axis);
  const int64_t n = x.shape[axis], inner = x.shape.size(axis + 1, x.shape.rank());
  const auto results = static_cast<int64_t>(f(Line(static_cast<size_t>(n), 1)).size());
  Array y(x.shape.with(axis, results));
  for (int64_t line = 0; line < (n == 0 ? 0 : x.shape.size() / n); ++line) {
    const int64_t outer = line / inner, i = line % inner;
    Line values;
    for (int64_t k = 0; k < n; ++k) values.push_back(x[(outer * n + k) * inner + i]);
    const Line found = f(values);
    for (int64_t k = 0; k < results; ++k) y[(outer * results + k) * inner + i] = found[static_cast<size_t>(k)];
  }
  return y;
}

OpCase axis_case(const std::string& name, Shape shape, int axis, const std::function<Tensor(Tensor)>& op,
                 const std::function<Line(const Line&)>& f) {
  OpCase test;
  test.name = fmt::format("{} of {} along {}", name, shape, axis);
  test.arguments = {{f32, shape}};
  test.build = [=](const Tensors& in) -> Tensors { return {op(in[0])}; };
  test.reference = [=](const std::vector<Array>& in) { return std::vector<Array>{along(in[0], axis, f)}; };
  test.check_gradient = shape.size() < 1000;
  return test;
}

// Whole numbers, so that there are equal ones: the op sees floor(x), and has no gradient.
OpCase exact(OpCase test) {
  test.arguments[0] = {i32, test.arguments[0].shape, -4, 5};
  test.build = [build = test.build](const Tensors& in) { return build({cast(in[0], f32)}); };
  test.tolerance = 0;
  test.check_gradient = false;
  return test;
}

Line order_of(const Line& x, bool descending) {
  std::vector<size_t> order(x.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return descending ? x[a] > x[b] : x[a] < x[b]; });
  return {order.begin(), order.end()};
}
Line sorted(Line x, bool descending) {
  std::sort(x.begin(), x.end());
  if (descending) std::reverse(x.begin(), x.end());
  return x;
}
Line first(Line x, int64_t count) {
  x.resize(static_cast<size_t>(count));
  return x;
}
Line sums(Line x) {
  std::partial_sum(x.begin(), x.end(), x.begin());
  return x;
}
double log_sum(const Line& x) {
  double total = 0;
  for (const double a : x) total += std::exp(a);
  return std::log(total);
}

void add(std::vector<OpCase>& all, Shape shape, int axis) {
  const int64_t n = shape[axis], k = n / 2;
  const auto index = [](Tensor x) { return cast(x, f32); };
  all.push_back(axis_case(
      "sort", shape, axis, [=](Tensor x) { return sort(x, axis).values; },
      [](const Line& x) { return sorted(x, false); }));
  all.push_back(axis_case(
      "descending sort", shape, axis, [=](Tensor x) { return sort(x, axis, true).values; },
      [](const Line& x) { return sorted(x, true); }));
  all.push_back(axis_case(
      "top_k", shape, axis, [=](Tensor x) { return top_k(x, k, axis).values; },
      [=](const Line& x) { return first(sorted(x, true), k); }));
  all.push_back(axis_case(
      "cumsum", shape, axis, [=](Tensor x) { return cumsum(x, axis); }, sums));
  all.push_back(exact(axis_case(
      "argsort", shape, axis, [=](Tensor x) { return index(argsort(x, axis)); },
      [](const Line& x) { return order_of(x, false); })));
  all.push_back(exact(axis_case(
      "descending argsort", shape, axis, [=](Tensor x) { return index(argsort(x, axis, true)); },
      [](const Line& x) { return order_of(x, true); })));
  all.push_back(exact(axis_case(
      "indices of top_k", shape, axis, [=](Tensor x) { return index(top_k(x, k, axis).indices); },
      [=](const Line& x) { return first(order_of(x, true), k); })));
  if (n == 0) return;
  all.push_back(exact(axis_case(
      "argmax", shape, axis, [=](Tensor x) { return index(argmax(x, axis, true)); },
      [](const Line& x) { return first(order_of(x, true), 1); })));
  all.push_back(exact(axis_case(
      "argmin", shape, axis, [=](Tensor x) { return index(argmin(x, axis, true)); },
      [](const Line& x) { return first(order_of(x, false), 1); })));
  all.push_back(axis_case(
      "logsumexp", shape, axis, [=](Tensor x) { return logsumexp(x, {axis}, true); },
      [](const Line& x) { return Line{log_sum(x)}; }));
  all.push_back(axis_case(
      "softmax", shape, axis, [=](Tensor x) { return softmax(x, axis); },
      [](Line x) {
        const double total = log_sum(x);
        for (double& a : x) a = std::exp(a - total);
        return x;
      }));
  all.push_back(axis_case(
      "log_softmax", shape, axis, [=](Tensor x) { return log_softmax(x, axis); },
      [](Line x) {
        const double total = log_sum(x);
        for (double& a : x) a -= total;
        return x;
      }));
}

}  // namespace

std::vector<OpCase> along_axis_cases() {
  std::vector<OpCase> all;
  add(all, {7}, 0);
  add(all, {3, 5}, -1);
  add(all, {3, 5}, 0);
  add(all, {2, 3, 4}, 1);
  add(all, {2, 0, 4}, 1);
  add(all, {2, 3, 0}, 1);
  add(all, {70, 301}, 1);
  add(all, {301, 70}, 0);
  add(all, {2, 70000}, 1);
  return all;
}

}  // namespace tinyllm::test
