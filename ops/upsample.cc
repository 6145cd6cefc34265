#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>

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

// Calls `f(plane, rows, columns, at)` for each pixel of the larger image: where its four pixels are, and its own place.
// A task owns whole planes.
template <class F>
void for_each_pixel(const Shape& small, const Shape& large, ThreadPool& pool, F f) {
  if (large.size() == 0) return;
  const int64_t height = large[2], width = large[3];
  const int64_t down = height / small[2], across = width / small[3];
  parallel_ranges(pool, large[0] * large[1], row_grain(height * width), [&](int64_t begin, int64_t end) {
    for (int64_t at = begin * height * width; at < end * height * width; ++at) {
      const int64_t plane = at / (height * width);
      f(plane * small[2] * small[3], Between(at / width % height, down, small[2]),
        Between(at % width, across, small[3]), at);
    }
  });
}

void run(const Launch& launch) {
  const View& x = launch.inputs[0];
  const View& y = launch.outputs[0];
  const int64_t width = x.shape[3];
  for_each_pixel(x.shape, y.shape, *launch.pool,
                 [&](int64_t plane, const Between& row, const Between& column, int64_t at) {
                   const auto line = [&](int64_t r) {
                     const float* pixels = x.f32() + plane + r * width;
                     return (1 - column.weight) * pixels[column.first] + column.weight * pixels[column.second];
                   };
                   y.f32()[at] = (1 - row.weight) * line(row.first) + row.weight * line(row.second);
                 });
}

void run_grad(const Launch& launch) {
  const View& dy = launch.inputs[0];
  const View& dx = launch.outputs[0];
  const int64_t width = dx.shape[3], pixels = dx.shape[2] * width;
  parallel_ranges(*launch.pool, dx.shape[0] * dx.shape[1], row_grain(pixels), [&](int64_t begin, int64_t end) {
    std::fill(dx.f32() + begin * pixels, dx.f32() + end * pixels, 0.0f);
  });
  for_each_pixel(dx.shape, dy.shape, *launch.pool,
                 [&](int64_t plane, const Between& row, const Between& column, int64_t at) {
                   const auto add = [&](int64_t r, float d) {
                     float* line = dx.f32() + plane + r * width;
                     line[column.first] += (1 - column.weight) * d;
                     line[column.second] += column.weight * d;
                   };
                   add(row.first, (1 - row.weight) * dy.f32()[at]);
                   add(row.second, row.weight * dy.f32()[at]);
                 });
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

const Op kUpsampleBilinear{.name = "upsample_bilinear", .run = run, .gradient = gradient};
const Op kUpsampleBilinearGrad{.name = "upsample_bilinear_grad", .run = run_grad};

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
