#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

void run(const Launch&) {}  // A view: the planner gives the result the memory of the input.

std::vector<Tensor> gradient(const Backward& node) {
  const Shape& shape = node.inputs[0].shape();
  return {reshape(node.output_grads[0], {shape.begin(), shape.end()})};
}

}  // namespace

const Op kReshape{.name = "reshape", .run = run, .gradient = gradient, .alias = true};

Tensor reshape(Tensor x, std::vector<int64_t> extents) {
  check_elements("reshape", x);
  int64_t known = 1;
  int64_t* open = nullptr;
  for (int64_t& extent : extents) {
    if (extent != -1) {
      if (__builtin_mul_overflow(known, extent, &known)) known = 0;  // The check below then fails.
    } else if (open == nullptr) {
      open = &extent;
    } else {
      throw Error("reshape: x {} to [{}]: only one extent may be -1", x.str(), fmt::join(extents, ","));
    }
  }
  if (open != nullptr && known > 0 && x.shape().size() % known == 0) *open = x.shape().size() / known;
  if (open != nullptr && *open == -1) {
    throw Error("reshape: x {} to [{}]: the extent -1 cannot be computed", x.str(), fmt::join(extents, ","));
  }
  const Shape shape{std::span<const int64_t>(extents)};
  if (shape.size() != x.shape().size()) {
    throw Error("reshape: x {} to {}: {} elements do not become {}", x.str(), shape, x.shape().size(), shape.size());
  }
  if (shape == x.shape()) return x;
  return x.graph().append(kReshape, {x}, {{x.type(), shape}})[0];
}

}  // namespace tinyllm
