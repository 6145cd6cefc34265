#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cstring>

namespace tinyllm {
namespace {

struct Params {
  int axis;
  int64_t from;
  int64_t to;
};

// A tensor along an axis: `outer` runs of `whole` bytes. In each run the slice is the `part` bytes from `skip` on.
struct Runs {
  int64_t outer;
  size_t whole, part, skip;

  Runs(const View& x, const Params& params) : outer(x.shape.size(0, params.axis)) {
    const size_t inner = static_cast<size_t>(x.shape.size(params.axis + 1, x.shape.rank())) * size_of(x.type.dtype());
    whole = static_cast<size_t>(x.shape[params.axis]) * inner;
    part = static_cast<size_t>(params.to - params.from) * inner;
    skip = static_cast<size_t>(params.from) * inner;
  }
  int64_t grain() const { return std::max<int64_t>(1, 65536 / static_cast<int64_t>(whole + 1)); }
};

void run(const Launch& launch) {
  const View& y = launch.outputs[0];
  if (y.size() == 0) return;
  const Runs runs(launch.inputs[0], launch.get<Params>());
  const auto* source = static_cast<const std::byte*>(launch.inputs[0].data);
  auto* target = static_cast<std::byte*>(y.data);
  parallel_ranges(*launch.pool, runs.outer, runs.grain(), [&](int64_t begin, int64_t end) {
    for (size_t r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
      std::memcpy(target + r * runs.part, source + r * runs.whole + runs.skip, runs.part);
    }
  });
}

void run_grad(const Launch& launch) {
  const View& dx = launch.outputs[0];
  if (dx.size() == 0) return;
  const Runs runs(dx, launch.get<Params>());
  const auto* source = static_cast<const std::byte*>(launch.inputs[0].data);
  auto* target = static_cast<std::byte*>(dx.data);
  parallel_ranges(*launch.pool, runs.outer, runs.grain(), [&](int64_t begin, int64_t end) {
    for (size_t r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
      std::byte* row = target + r * runs.whole;
      std::memset(row, 0, runs.skip);
      if (runs.part != 0) std::memcpy(row + runs.skip, source + r * runs.part, runs.part);
      std::memset(row + runs.skip + runs.part, 0, runs.whole - runs.skip - runs.part);
    }
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return x.graph().append(kSliceGrad, {node.output_grads[0]}, {{f32, x.shape()}}, node.get<Params>());
}

}  // namespace

const Op kSlice{.name = "slice", .run = run, .gradient = gradient};
const Op kSliceGrad{.name = "slice_grad", .run = run_grad};

Tensor slice(Tensor x, int axis, int64_t from, int64_t to) {
  check_elements("slice", x);
  axis = x.shape().axis(axis);
  if (from < 0 || to < from || to > x.shape()[axis]) {
    throw Error("slice: x {}: [{}, {}) is not within axis {} of {}", x.str(), from, to, axis, x.shape()[axis]);
  }
  return x.graph().append(kSlice, {x}, {{x.type(), x.shape().with(axis, to - from)}}, Params{axis, from, to})[0];
}

}  // namespace tinyllm
