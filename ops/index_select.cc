#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/indices.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cstring>

namespace tinyllm {
namespace {

struct Params {
  int axis;
};

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& indices = launch.inputs[1];
  const AlongAxis axis(x.shape, launch.get<Params>().axis);
  check_indices("index_select", "index", indices, axis.n);
  const int64_t rows = indices.size();
  const size_t bytes = static_cast<size_t>(axis.inner) * sizeof(uint32_t);
  if (bytes == 0) return;
  const auto* source = static_cast<const std::byte*>(x.data);
  auto* target = static_cast<std::byte*>(launch.outputs[0].data);
  parallel_ranges(*launch.pool, axis.outer * rows, row_grain(axis.inner), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      const int64_t from = row / rows * axis.n + indices.i32()[row % rows];
      std::memcpy(target + static_cast<size_t>(row) * bytes, source + static_cast<size_t>(from) * bytes, bytes);
    }
  });
}

void run_grad(const Launch& launch) {
  const View& indices = launch.inputs[0];
  float* dx = launch.outputs[0].f32();
  const AlongAxis axis(launch.outputs[0].shape, launch.get<Params>().axis);
  scatter_rows(*launch.pool, {"index_select", "index", axis, indices.size(), indices, true}, launch.inputs[1].f32(), dx,
               [&](int64_t at, int64_t n) { std::fill_n(dx + at, n, 0.0f); });
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return {x.graph().append(kIndexSelectGrad, {node.inputs[1], node.output_grads[0]}, {{f32, x.shape()}},
                           node.get<Params>())[0],
          {}};
}

}  // namespace

const Op kIndexSelect{.name = "index_select", .run = run, .gradient = gradient};
const Op kIndexSelectGrad{.name = "index_select_grad", .run = run_grad};

Tensor index_select(Tensor x, int axis, Tensor indices) {
  check_words("index_select", x);
  check_i32("index_select", {indices});
  axis = x.shape().axis(axis);
  if (indices.shape().rank() != 1) throw Error("index_select: indices {}: expected [N]", indices.str());
  return x.graph().append(kIndexSelect, {x, indices}, {{x.type(), x.shape().with(axis, indices.shape()[0])}},
                          Params{axis})[0];
}

}  // namespace tinyllm
