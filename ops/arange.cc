#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cmath>

namespace tinyllm {
namespace {

struct Params {
  double from, step;
};

void run(const Launch& launch) {
  const auto [from, step] = launch.get<Params>();
  const View& y = launch.outputs[0];
  for (int64_t i = 0; i < y.size(); ++i) {
    const double value = from + static_cast<double>(i) * step;
    if (y.type == i32) {
      y.i32()[i] = static_cast<int32_t>(value);
    } else {
      y.f32()[i] = static_cast<float>(value);
    }
  }
}

}  // namespace

const Op kArange{.name = "arange", .run = run};

Tensor arange(Graph& graph, double from, double to, double step, DType type) {
  if (!std::isfinite(from) || !std::isfinite(to) || !std::isfinite(step) || step == 0) {
    throw Error("arange: from {} to {} by {}: expected finite numbers and a step other than 0", from, to, step);
  }
  if (type != f32 && type != i32) throw Error("arange: type {}, expected f32 or i32", name_of(type));
  const double count = std::max(0.0, std::ceil((to - from) / step));
  if (!(count <= static_cast<double>(Shape::kMaxElements))) {
    throw Error("arange: from {} to {} by {}: {} elements, expected at most 2^56", from, to, step, count);
  }
  const double last = from + std::max(0.0, count - 1) * step;
  if (type == i32 && !(is_int32(from) && is_int32(last) && std::floor(step) == step)) {
    throw Error("arange: from {} to {} by {}: expected whole numbers of 32 bits for i32", from, to, step);
  }
  return graph.append(kArange, {}, {{type, {static_cast<int64_t>(count)}}}, Params{from, step})[0];
}

Tensor full(Graph& graph, Shape shape, float value) { return graph.constant(value, shape); }
Tensor zeros(Graph& graph, Shape shape) { return full(graph, shape, 0); }
Tensor ones(Graph& graph, Shape shape) { return full(graph, shape, 1); }

}  // namespace tinyllm
