#include <tinyllm/ops/detail/along_axis.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/fold.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <limits>

namespace tinyllm {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The kernel subtracts the greatest number, and so gives NaN where that is infinite.
float log_sum_exp(int64_t n, const float* x) {
  const float y = kernels::kernels().log_sum_exp(n, x);
  if (y == y || std::any_of(x, x + n, [](float a) { return a != a; })) return y;
  return *std::max_element(x, x + n);
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const int64_t n = x.shape.row();
  parallel_ranges(*launch.pool, x.shape.rows(), row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) launch.outputs[0].f32()[row] = log_sum_exp(n, x.f32() + row * n);
  });
}

// dx = dy exp(x - y). Where all of x is minus infinity, y is too, and dx is 0.
std::vector<Tensor> gradient(const Backward& node) {
  const Tensor y = node.outputs[0], none = y.graph().constant(-kInfinity, Shape{});
  const Tensor shift = where(equal(y, none), y.graph().constant(0, Shape{}), y);
  return {unsqueeze(node.output_grads[0], -1) * exp(node.inputs[0] - unsqueeze(shift, -1))};
}

// x [A, B, N] -> [A, B].
Tensor of_rows(Tensor x) {
  const Shape& s = x.shape();
  return x.graph().append(kLogSumExp, {x}, {{f32, {s[0], s[1]}}})[0];
}

}  // namespace

const Op kLogSumExp{.name = "logsumexp", .run = run, .gradient = gradient};

Tensor logsumexp(Tensor x, const std::vector<int>& axes, bool keep_dims) {
  check_f32("logsumexp", {x});
  check_not_empty("logsumexp", x, axes);
  return reduce_axes("logsumexp", x, axes, keep_dims, [](Tensor run) {
    const Shape& s = run.shape();
    return of_rows(s[2] == 1 ? reshape(run, {s[0], 1, s[1]}) : transpose(run, 1, 2));
  });
}

Tensor log_softmax(Tensor x, int axis) {
  check_f32("log_softmax", {x});
  check_not_empty("log_softmax", x, {axis});
  return x - logsumexp(x, {axis}, true);
}

}  // namespace tinyllm
