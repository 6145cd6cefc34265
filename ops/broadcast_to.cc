#include <tinyllm/ops/detail/broadcast.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

void run(const Launch& launch) {
  const BroadcastWalk walk(launch.inputs, launch.outputs[0].shape);
  auto* out = static_cast<uint32_t*>(launch.outputs[0].data);
  walk.for_each_run(*launch.pool, [&](int64_t at, int64_t count, const BroadcastWalk::Offsets& from) {
    const auto x = walk.operand<uint32_t>(0, from);
    if (x.repeated) {
      std::fill_n(out + at, count, *x.data);
    } else {
      std::copy_n(x.data, count, out + at);
    }
  });
}

std::vector<Tensor> gradient(const Backward& node) { return {reduce_to(node.output_grads[0], node.inputs[0].shape())}; }

}  // namespace

const Op kBroadcastTo{.name = "broadcast_to", .run = run, .gradient = gradient};

Tensor broadcast_to(Tensor x, Shape shape) {
  check_words("broadcast_to", x);
  const int added = shape.rank() - x.shape().rank();
  bool fits = added >= 0;
  for (int i = 0; fits && i < x.shape().rank(); ++i) fits = x.shape()[i] == 1 || x.shape()[i] == shape[added + i];
  if (!fits) {
    throw Error("broadcast_to: x {} to {}: expected each extent to be 1 or that of the result, from the innermost on",
                x.str(), shape);
  }
  if (shape == x.shape()) return x;
  return x.graph().append(kBroadcastTo, {x}, {{x.type(), shape}})[0];
}

}  // namespace tinyllm
