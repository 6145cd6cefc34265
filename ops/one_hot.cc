#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/indices.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const View& indices = launch.inputs[0];
  const View& y = launch.outputs[0];
  const int64_t classes = y.shape.row();
  check_indices("one_hot", "index", indices, classes);
  parallel_ranges(*launch.pool, indices.size(), row_grain(classes), [&](int64_t begin, int64_t end) {
    std::fill(y.f32() + begin * classes, y.f32() + end * classes, 0.0f);
    for (int64_t i = begin; i < end; ++i) y.f32()[i * classes + indices.i32()[i]] = 1;
  });
}

}  // namespace

const Op kOneHot{.name = "one_hot", .run = run, .gradient = no_gradient};

Tensor one_hot(Tensor indices, int64_t classes) {
  check_i32("one_hot", {indices});
  if (classes < 1) throw Error("one_hot: {} classes, expected at least 1", classes);
  std::vector<int64_t> extents(indices.shape().begin(), indices.shape().end());
  extents.push_back(classes);
  return indices.graph().append(kOneHot, {indices}, {{f32, Shape{std::span<const int64_t>(extents)}}})[0];
}

}  // namespace tinyllm
