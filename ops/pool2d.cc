#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

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

// The pixels of a window: rows [top, bottom) and columns [left, right) of the image, at least one of each.
struct Window {
  int64_t top, bottom, left, right;

  Window(const Planes& p, int64_t row, int64_t column) {
    const auto [kernel, stride, padding] = p.options;
    const int64_t y = row * stride[0] - padding[0];
    const int64_t x = column * stride[1] - padding[1];
    top = std::max<int64_t>(0, y);
    bottom = std::min(p.height, y + kernel[0]);
    left = std::max<int64_t>(0, x);
    right = std::min(p.width, x + kernel[1]);
  }
  int64_t size() const { return (bottom - top) * (right - left); }

  // Calls `f(pixel)` for each pixel, row by row.
  template <class F>
  void for_each(int64_t width, F f) const {
    for (int64_t y = top; y < bottom; ++y) {
      for (int64_t x = left; x < right; ++x) f(y * width + x);
    }
  }
};

// The first of the largest pixels, or the first that is not a number.
int64_t largest(const Window& window, int64_t width, const float* x) {
  int64_t best = window.top * width + window.left;
  window.for_each(width, [&](int64_t at) {
    if (x[at] > x[best] || (x[at] != x[at] && x[best] == x[best])) best = at;
  });
  return best;
}

// Calls `f(plane, window, result)` for each result. A task owns whole planes.
template <class F>
void for_each_window(const Planes& p, ThreadPool& pool, F f) {
  const int64_t taps = std::min(p.options.kernel[0], p.height) * std::min(p.options.kernel[1], p.width);
  parallel_ranges(pool, p.count, row_grain(p.results() * taps + p.pixels()), [&](int64_t begin, int64_t end) {
    for (int64_t plane = begin; plane < end; ++plane) {
      for (int64_t i = 0; i < p.results(); ++i) {
        f(plane, Window(p, i / p.columns, i % p.columns), plane * p.results() + i);
      }
    }
  });
}

void run_max(const Launch& launch) {
  const View& x = launch.inputs[0];
  float* y = launch.outputs[0].f32();
  const Planes p(x.shape, launch.outputs[0].shape, launch.get<Pool2d>());
  for_each_window(p, *launch.pool, [&](int64_t plane, const Window& window, int64_t at) {
    const float* image = x.f32() + plane * p.pixels();
    y[at] = image[largest(window, p.width, image)];
  });
}

void run_average(const Launch& launch) {
  const View& x = launch.inputs[0];
  float* y = launch.outputs[0].f32();
  const Planes p(x.shape, launch.outputs[0].shape, launch.get<Pool2d>());
  for_each_window(p, *launch.pool, [&](int64_t plane, const Window& window, int64_t at) {
    const float* image = x.f32() + plane * p.pixels();
    double total = 0;
    window.for_each(p.width, [&](int64_t pixel) { total += image[pixel]; });
    y[at] = static_cast<float>(total / static_cast<double>(window.size()));
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
  for_each_window(p, *launch.pool, [&](int64_t plane, const Window& window, int64_t at) {
    const int64_t first = plane * p.pixels();
    launch.outputs[0].f32()[first + largest(window, p.width, x.f32() + first)] += launch.inputs[1].f32()[at];
  });
}

// Input: dy.
void run_average_grad(const Launch& launch) {
  const Planes p(launch.outputs[0].shape, launch.inputs[0].shape, launch.get<Pool2d>());
  clear(launch);
  for_each_window(p, *launch.pool, [&](int64_t plane, const Window& window, int64_t at) {
    float* dx = launch.outputs[0].f32() + plane * p.pixels();
    const float share = launch.inputs[0].f32()[at] / static_cast<float>(window.size());
    window.for_each(p.width, [&](int64_t pixel) { dx[pixel] += share; });
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
