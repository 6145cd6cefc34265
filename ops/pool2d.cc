#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <algorithm>
#include <limits>
#include <type_traits>

namespace tinyllm {
namespace {

// One plane [H, W] of x and its result [OH, OW].
struct Planes {
  int64_t count, height, width, rows, columns;
  Pool2d options;

  Planes(const Shape& x, const Shape& y, const Pool2d& o)
      : count(x[0] * x[1]), height(x[2]), width(x[3]), rows(y[2]), columns(y[3]), options(o) {}
  int64_t pixels() const { return height * width; }
  int64_t results() const { return rows * columns; }
};

// Results next to each other in a row: few enough that what is known of them stays in the cache.
constexpr int64_t kStretch = 64;
struct Stretch {
  int64_t plane, row, begin, end;

  int64_t at(const Planes& p) const { return plane * p.results() + row * p.columns + begin; }
  int64_t size() const { return end - begin; }
};

// The pixels at one place of the windows of a stretch. Result i of the stretch, from `first` to `last`, has pixel + i *
// stride there; the others have padding.
struct Tap {
  int64_t first, last, pixel, stride;
};

// Calls `f(tap)` for each place of the windows that has pixels, row by row.
template <class F>
void for_each_tap(const Planes& p, const Stretch& s, F f) {
  const auto [kernel, stride, padding] = p.options;
  for (int64_t i = 0; i < kernel[0]; ++i) {
    const int64_t y = s.row * stride[0] - padding[0] + i;
    if (y < 0 || y >= p.height) continue;
    for (int64_t j = 0; j < kernel[1]; ++j) {
      const int64_t x = s.begin * stride[1] - padding[1] + j;
      const int64_t first = x < 0 ? ceil_div(-x, stride[1]) : 0;
      const int64_t last = x < p.width ? std::min(s.size(), (p.width - 1 - x) / stride[1] + 1) : 0;
      if (first < last) f(Tap{first, last, y * p.width + x, stride[1]});
    }
  }
}

// Calls `f(i, pixel)` for each result of a tap, by vectors where the stride is one of the usual ones.
template <class F>
void for_each_result(const Tap& tap, F f) {
  const auto run = [&](auto stride) {
    for (int64_t i = tap.first; i < tap.last; ++i) f(i, tap.pixel + i * stride);
  };
  if (tap.stride == 1) return run(std::integral_constant<int64_t, 1>());
  if (tap.stride == 2) return run(std::integral_constant<int64_t, 2>());
  run(tap.stride);
}

// Calls `f(stretch)` for all results. A task owns whole planes.
template <class F>
void for_each_stretch(const Planes& p, ThreadPool& pool, F f) {
  const int64_t taps = std::min(p.options.kernel[0], p.height) * std::min(p.options.kernel[1], p.width);
  parallel_ranges(pool, p.count, row_grain(p.results() * taps + p.pixels()), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      for (int64_t row = 0; row < p.rows; ++row) {
        for (int64_t i = 0; i < p.columns; i += kStretch) {
          f(Stretch{plane, row, i, std::min(i + kStretch, p.columns)});
        }
      }
    }
  });
}

// The largest pixel is the first of them, or the first that is not a number.
bool is_larger(float x, float best) { return x > best || (x != x && best == best); }

constexpr float kLowest = -std::numeric_limits<float>::infinity();

void run_max(const Launch& launch) {
  const View& x = launch.inputs[0];
  const Planes p(x.shape, launch.outputs[0].shape, launch.get<Pool2d>());
  for_each_stretch(p, *launch.pool, [&](const Stretch& s) {
    const float* image = x.f32() + s.plane * p.pixels();
    float* best = launch.outputs[0].f32() + s.at(p);
    std::fill_n(best, s.size(), kLowest);
    for_each_tap(p, s, [&](const Tap& tap) {
      for_each_result(tap,
                      [&](int64_t i, int64_t at) { best[i] = is_larger(image[at], best[i]) ? image[at] : best[i]; });
    });
  });
}

// The number of pixels in each window of a stretch.
void count_pixels(const Planes& p, const Stretch& s, int64_t (&count)[kStretch]) {
  const auto [kernel, stride, padding] = p.options;
  const int64_t y = s.row * stride[0] - padding[0];
  const int64_t down = std::min(p.height, y + kernel[0]) - std::max<int64_t>(0, y);
  for (int64_t i = 0; i < s.size(); ++i) {
    const int64_t x = (s.begin + i) * stride[1] - padding[1];
    count[i] = down * (std::min(p.width, x + kernel[1]) - std::max<int64_t>(0, x));
  }
}

void run_average(const Launch& launch) {
  const View& x = launch.inputs[0];
  const Planes p(x.shape, launch.outputs[0].shape, launch.get<Pool2d>());
  for_each_stretch(p, *launch.pool, [&](const Stretch& s) {
    const float* image = x.f32() + s.plane * p.pixels();
    double total[kStretch] = {};
    for_each_tap(p, s,
                 [&](const Tap& tap) { for_each_result(tap, [&](int64_t i, int64_t at) { total[i] += image[at]; }); });
    int64_t count[kStretch];
    count_pixels(p, s, count);
    float* y = launch.outputs[0].f32() + s.at(p);
    for (int64_t i = 0; i < s.size(); ++i) y[i] = static_cast<float>(total[i] / static_cast<double>(count[i]));
  });
}

// Zeros of dx, which tasks then add to.
void clear(const Launch& launch) {
  const View& dx = launch.outputs[0];
  parallel_ranges(*launch.pool, dx.size(), 16384,
                  [&](int64_t begin, int64_t end) { std::fill(dx.f32() + begin, dx.f32() + end, 0.0f); });
}

// Inputs: x, dy.
void run_max_grad(const Launch& launch) {
  const View& x = launch.inputs[0];
  const Planes p(x.shape, launch.inputs[1].shape, launch.get<Pool2d>());
  clear(launch);
  for_each_stretch(p, *launch.pool, [&](const Stretch& s) {
    const float* image = x.f32() + s.plane * p.pixels();
    float best[kStretch];
    int64_t where[kStretch];
    std::fill_n(best, kStretch, kLowest);
    std::fill_n(where, kStretch, int64_t{-1});
    for_each_tap(p, s, [&](const Tap& tap) {
      for_each_result(tap, [&](int64_t i, int64_t at) {
        // All pixels of a window may be the lowest number; then the first is the largest.
        const bool is_new = where[i] < 0 || is_larger(image[at], best[i]);
        best[i] = is_new ? image[at] : best[i];
        where[i] = is_new ? at : where[i];
      });
    });
    float* dx = launch.outputs[0].f32() + s.plane * p.pixels();
    const float* dy = launch.inputs[1].f32() + s.at(p);
    for (int64_t i = 0; i < s.size(); ++i) dx[where[i]] += dy[i];
  });
}

// Input: dy.
void run_average_grad(const Launch& launch) {
  const Planes p(launch.outputs[0].shape, launch.inputs[0].shape, launch.get<Pool2d>());
  clear(launch);
  for_each_stretch(p, *launch.pool, [&](const Stretch& s) {
    int64_t count[kStretch];
    count_pixels(p, s, count);
    float share[kStretch];
    const float* dy = launch.inputs[0].f32() + s.at(p);
    for (int64_t i = 0; i < s.size(); ++i) share[i] = dy[i] / static_cast<float>(count[i]);
    float* dx = launch.outputs[0].f32() + s.plane * p.pixels();
    for_each_tap(p, s,
                 [&](const Tap& tap) { for_each_result(tap, [&](int64_t i, int64_t at) { dx[at] += share[i]; }); });
  });
}

std::vector<Tensor> max_gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return x.graph().append(kMaxPool2dGrad, {x, node.output_grads[0]}, {{f32, x.shape()}}, node.get<Pool2d>());
}

std::vector<Tensor> average_gradient(const Backward& node) {
  const Tensor x = node.inputs[0];
  return x.graph().append(kAvgPool2dGrad, {node.output_grads[0]}, {{f32, x.shape()}}, node.get<Pool2d>());
}

// `name` and `given`, the tensor that its caller gave, are for errors.
Tensor pool(const char* name, const std::string& given, const Op& op, Tensor x, Pool2d options) {
  Shape shape = x.shape();
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<size_t>(i);
    const int64_t kernel = options.kernel[at];
    int64_t& stride = options.stride[at];
    if (stride == 0) stride = kernel;
    const int64_t padding = options.padding[at];
    if (kernel < 1 || stride < 1 || padding < 0 || padding >= kernel) {
      throw Error("{}: kernel {}, stride {}, padding {}: expected at least 1, 1 and 0, and less padding than kernel",
                  name, kernel, stride, padding);
    }
    if (shape[2 + i] < 1) throw Error("{}: x {}: the image has no pixels, expected at least one", name, given);
    const int64_t padded = checked_add(shape[2 + i], checked_mul(int64_t{2}, padding));
    if (kernel > padded) {
      throw Error("{}: x {}: the kernel is {} pixels, the padded image {}", name, given, kernel, padded);
    }
    shape = shape.with(2 + i, (padded - kernel) / stride + 1);
  }
  return x.graph().append(op, {x}, {{f32, shape}}, options)[0];
}

Tensor pool_image(const Op& op, Tensor x, const Pool2d& options) {
  check_f32(op.name, {x});
  if (x.shape().rank() != 4) throw Error("{}: x {}: expected [B, C, H, W]", op.name, x.str());
  return pool(op.name, x.str(), op, x, options);
}

Tensor pool_line(const char* name, const Op& op, Tensor x, const Pool1d& options) {
  check_f32(name, {x});
  if (x.shape().rank() != 3) throw Error("{}: x {}: expected [B, C, L]", name, x.str());
  const Pool2d line{{1, options.kernel}, {1, options.stride}, {0, options.padding}};
  return squeeze(pool(name, x.str(), op, unsqueeze(x, 2), line), 2);
}

}  // namespace

const Op kMaxPool2d{.name = "max_pool2d", .run = run_max, .gradient = max_gradient};
const Op kMaxPool2dGrad{.name = "max_pool2d_grad", .run = run_max_grad};
const Op kAvgPool2d{.name = "avg_pool2d", .run = run_average, .gradient = average_gradient};
const Op kAvgPool2dGrad{.name = "avg_pool2d_grad", .run = run_average_grad};

Tensor max_pool2d(Tensor x, const Pool2d& options) { return pool_image(kMaxPool2d, x, options); }
Tensor avg_pool2d(Tensor x, const Pool2d& options) { return pool_image(kAvgPool2d, x, options); }
Tensor max_pool1d(Tensor x, const Pool1d& options) { return pool_line("max_pool1d", kMaxPool2d, x, options); }
Tensor avg_pool1d(Tensor x, const Pool1d& options) { return pool_line("avg_pool1d", kAvgPool2d, x, options); }

}  // namespace tinyllm
