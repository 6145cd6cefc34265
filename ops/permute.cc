#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/strided_copy.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  std::vector<int> order;
};

void run(const Launch& launch) {
  const Shape& x = launch.inputs[0].shape;
  const std::vector<int>& order = launch.get<Params>().order;
  Strides strides;
  for (int i = 0; i < x.rank(); ++i) strides[i] = x.size(order[static_cast<size_t>(i)] + 1, x.rank());
  copy_strided(launch, strides);
}

std::vector<Tensor> gradient(const Backward& node) {
  const std::vector<int>& order = node.get<Params>().order;
  std::vector<int> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i) inverse[static_cast<size_t>(order[i])] = static_cast<int>(i);
  return {permute(node.output_grads[0], inverse)};
}

}  // namespace

const Op kPermute{.name = "permute", .run = run, .gradient = gradient};

Tensor permute(Tensor x, std::vector<int> order) {
  check_words("permute", x);
  const int rank = x.shape().rank();
  std::vector<bool> seen(static_cast<size_t>(rank), false);
  std::vector<int64_t> extents;
  for (int& axis : order) {
    if (axis < -rank || axis >= rank || seen[static_cast<size_t>(axis < 0 ? axis + rank : axis)]) break;
    axis = x.shape().axis(axis);
    seen[static_cast<size_t>(axis)] = true;
    extents.push_back(x.shape()[axis]);
  }
  if (rank == 0 || extents.size() != static_cast<size_t>(rank) || order.size() != extents.size()) {
    throw Error("permute: x {} by ({}): expected every axis once", x.str(), fmt::join(order, ","));
  }
  const Shape shape{std::span<const int64_t>(extents)};
  return x.graph().append(kPermute, {x}, {{x.type(), shape}}, Params{std::move(order)})[0];
}

}  // namespace tinyllm
