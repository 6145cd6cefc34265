#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <memory>

namespace tinyllm {
namespace {

// The two pixels of a line between which pixel `at` of the larger line is, and the weight of the second. The centre of
// pixel i is i + 1/2, so `at` is at (at + 1/2) / factor - 1/2 = (2 at + 1 - factor) / (2 factor).
struct Between {
  int64_t first, second;
  float weight;

  Between(int64_t at, int64_t factor, int64_t extent) {
    const int64_t position = std::max<int64_t>(0, 2 * at + 1 - factor);
    first = position / (2 * factor);
    second = std::min(first + 1, extent - 1);
    weight = static_cast<float>(position % (2 * factor)) / static_cast<float>(2 * factor);
  }
};

// Calls `f(plane, row, columns, y)` for each row of the large images: the offset of the plane of the small image, where
// the row is in it, where each pixel of the row is, and the offset of the row. A task owns whole planes.
template <class F>
void for_each_row(const Launch& launch, const Shape& small, const Shape& large, F f) {
  if (large.size() == 0) return;
  const int64_t height = large[2], width = large[3];
  const int64_t down = height / small[2], across = width / small[3];
  auto* columns = static_cast<Between*>(launch.workspace);
  for (int64_t i = 0; i < width; ++i) std::construct_at(columns + i, i, across, small[3]);
  parallel_ranges(*launch.pool, large[0] * large[1], row_grain(height * width), [&](int64_t begin, int64_t end) {
    for (int64_t row = begin * height; row < end * height; ++row) {
      f(row / height * small[2] * small[3], Between(row % height, down, small[2]), columns, row * width);
    }
  });
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& y = launch.outputs[0];
  const int64_t small_width = x.shape[3], width = y.shape[3];
  for_each_row(launch, x.shape, y.shape, [&](int64_t plane, const Between& row, const Between* columns, int64_t at) {
    const float* above = x.f32() + plane + row.first * small_width;
    const float* below = x.f32() + plane + row.second * small_width;
    for (int64_t i = 0; i < width; ++i) {
      const Between& column = columns[i];
      const auto between = [&](const float* line) {
        return (1 - column.weight) * line[column.first] + column.weight * line[column.second];
      };
      y.f32()[at + i] = (1 - row.weight) * between(above) + row.weight * between(below);
    }
  });
}

void run_grad(const Launch& launch) {
  const View& dy = launch.inputs[0];
  const View& dx = launch.outputs[0];
  const int64_t small_width = dx.shape[3], width = dy.shape[3], pixels = dx.shape[2] * small_width;
  parallel_ranges(*launch.pool, dx.shape[0] * dx.shape[1], row_grain(pixels), [&](int64_t begin, int64_t end) {
    std::fill(dx.f32() + begin * pixels, dx.f32() + end * pixels, 0.0f);
  });
  for_each_row(launch, dx.shape, dy.shape, [&](int64_t plane, const Between& row, const Between* columns, int64_t at) {
    for (int64_t i = 0; i < width; ++i) {
      const Between& column = columns[i];
      const auto add = [&](int64_t line, float d) {
        float* to = dx.f32() + plane + line * small_width;
        to[column.first] += (1 - column.weight) * d;
        to[column.second] += column.weight * d;
      };
      add(row.first, (1 - row.weight) * dy.f32()[at + i]);
      add(row.second, row.weight * dy.f32()[at + i]);
    }
  });
}

size_t workspace(const Node& node, const Graph& graph, int) {
  return static_cast<size_t>(graph.value(node.outputs[0]).shape[3]) * sizeof(Between);
}
size_t grad_workspace(const Node& node, const Graph& graph, int) {
  return static_cast<size_t>(graph.value(node.inputs[0]).shape[3]) * sizeof(Between);
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return x.graph().append(kUpsampleBilinearGrad, {node.output_grads[0]}, {{f32, x.shape()}});
}

// The shape of x, `factor` times as high and wide.
Shape enlarged(const char* op, const Tensor& x, std::array<int64_t, 2> factor) {
  check_f32(op, {x});
  const Shape& s = x.shape();
  if (s.rank() != 4 || factor[0] < 1 || factor[1] < 1) {
    throw Error("{}: x {} by {} and {}: expected [B, C, H, W] and factors of at least 1", op, x.str(), factor[0],
                factor[1]);
  }
  return s.with(2, checked_mul(s[2], factor[0])).with(3, checked_mul(s[3], factor[1]));
}

}  // namespace

const Op kUpsampleBilinear{.name = "upsample_bilinear", .run = run, .gradient = gradient, .workspace = workspace};
const Op kUpsampleBilinearGrad{.name = "upsample_bilinear_grad", .run = run_grad, .workspace = grad_workspace};

Tensor upsample_nearest(Tensor x, std::array<int64_t, 2> factor) {
  const Shape result = enlarged("upsample_nearest", x, factor);
  const Shape& s = x.shape();
  const Shape repeated = Shape{s[0] * s[1], s[2], 1, s[3], 1}.with(2, factor[0]).with(4, factor[1]);
  return reshape(broadcast_to(reshape(x, {s[0] * s[1], s[2], 1, s[3], 1}), repeated), {result.begin(), result.end()});
}

Tensor upsample_bilinear(Tensor x, std::array<int64_t, 2> factor) {
  const Shape result = enlarged("upsample_bilinear", x, factor);
  return x.graph().append(kUpsampleBilinear, {x}, {{f32, result}})[0];
}

}  // namespace tinyllm
