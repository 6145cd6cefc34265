#include <tinyllm/ops/detail/along_axis.h>
#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// Where the greatest and the least element of a row are.
namespace tinyllm {
namespace {

// The first of the winners, or the first NaN. `Beats` is whether one number comes before another.
template <class Beats>
int64_t winner(int64_t n, const float* x) {
  int64_t best = 0;
  for (int64_t i = 0; i < n; ++i) {
    if (x[i] != x[i]) return i;
    if (Beats{}(x[i], x[best])) best = i;
  }
  return best;
}

template <class Beats>
void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const int64_t n = x.shape.row();
  parallel_ranges(*launch.pool, x.shape.rows(), row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) {
      launch.outputs[0].i32()[row] = static_cast<int32_t>(winner<Beats>(n, x.f32() + row * n));
    }
  });
}

Tensor append(const Op& op, Tensor x, int axis, bool keep_dims) {
  check_f32(op.name, {x});
  check_indexable(op.name, x, axis, 1);
  const Tensor y = along_last(x, axis, [&](Tensor rows) {
    return rows.graph().append(op, {rows}, {{i32, rows.shape().with(-1, 1)}})[0];
  });
  return keep_dims ? y : squeeze(y, axis);
}

}  // namespace

const Op kArgmax{.name = "argmax", .run = run<std::greater<>>, .gradient = no_gradient};
const Op kArgmin{.name = "argmin", .run = run<std::less<>>, .gradient = no_gradient};

Tensor argmax(Tensor x, int axis, bool keep_dims) { return append(kArgmax, x, axis, keep_dims); }
Tensor argmin(Tensor x, int axis, bool keep_dims) { return append(kArgmin, x, axis, keep_dims); }

}  // namespace tinyllm
