#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

struct Params {
  bool upper;
  int64_t diagonal;
};

// Row i of a matrix keeps columns [from, to).
void run(const Launch& launch) {
  const bool upper = launch.get<Params>().upper;
  const int64_t diagonal = launch.get<Params>().diagonal;
  const View& x = launch.inputs[0];
  if (x.size() == 0) return;
  const int64_t height = x.shape[-2], width = x.shape[-1];
  parallel_ranges(*launch.pool, x.shape.rows(), row_grain(width), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t i = r % height;
      const int64_t from = upper ? std::clamp<int64_t>(i + diagonal, 0, width) : 0;
      const int64_t to = upper ? width : std::clamp<int64_t>(i + diagonal + 1, 0, width);
      const float* source = x.f32() + r * width;
      float* target = launch.outputs[0].f32() + r * width;
      std::fill(target, target + from, 0.0f);
      if (target != source) std::copy(source + from, source + to, target + from);
      std::fill(target + to, target + width, 0.0f);
    }
  });
}

Tensor triangle(const char* op, Tensor x, const Params& params) {
  check_f32(op, {x});
  if (x.shape().rank() < 2) throw Error("{}: x {}: expected [..., M, N]", op, x.str());
  // A diagonal beyond the matrix is like the first one outside it.
  const int64_t limit = x.shape()[-2] + x.shape()[-1];
  const Params clamped{params.upper, std::clamp(params.diagonal, -limit, limit)};
  return x.graph().append(kTriangle, {x}, {{f32, x.shape()}}, clamped)[0];
}

std::vector<Tensor> gradient(const Backward& node) {
  return {triangle("triangle", node.output_grads[0], node.get<Params>())};
}

}  // namespace

const Op kTriangle{.name = "triangle", .run = run, .gradient = gradient, .in_place = 1};

Tensor triu(Tensor x, int64_t diagonal) { return triangle("triu", x, {true, diagonal}); }
Tensor tril(Tensor x, int64_t diagonal) { return triangle("tril", x, {false, diagonal}); }

}  // namespace tinyllm
