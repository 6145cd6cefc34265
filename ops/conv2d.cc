#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/detail/patches.h>
#include <tinyllm/ops/detail/workspace.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

// The three products of detail/patches.h. That of the output and that of the weights' gradient are products of `gemm`,
// one for each group of each image. That of the image's gradient is cut into tasks that own some channels of an image:
// a task multiplies a few hundred columns at a time and adds them to its pixels while they are in its cache.
namespace tinyllm {
namespace {

// A convolution: `batch` images in `groups` groups, each with patches of its channels and O/G output channels.
struct Convolution {
  int64_t batch, groups, outputs;
  Patches patches;

  Convolution(const Shape& x, const Shape& w, const Conv2d& o)
      : batch(x[0]), groups(o.groups), outputs(w[0] / o.groups), patches{w[1],     {x[2], x[3]}, {w[2], w[3]}, {},
                                                                         o.stride, o.padding,    o.dilation} {
    for (size_t i = 0; i < 2; ++i) {
      const int64_t reach = patches.dilation[i] * (patches.kernel[i] - 1) + 1;
      patches.output[i] = (patches.image[i] + 2 * patches.padding[i] - reach) / patches.stride[i] + 1;
    }
  }
  // Offsets of a group of an image, of its result, and of the weights of a group.
  int64_t image(int64_t b, int64_t g) const { return (b * groups + g) * patches.channels * patches.pixels(); }
  int64_t result(int64_t b, int64_t g) const { return (b * groups + g) * outputs * patches.columns(); }
  int64_t weights(int64_t g) const { return g * outputs * patches.rows(); }

  // y = w patches(x), and dw = dy patches(x)^T. An image that is its own patches is a matrix.
  GemmShape forward() const {
    return {.m = outputs,
            .n = patches.columns(),
            .k = patches.rows(),
            .b_patches = patches.is_image() ? nullptr : &patches};
  }
  GemmShape weight_grad() const {
    return {.m = outputs,
            .n = patches.rows(),
            .k = patches.columns(),
            .trans_b = true,
            .b_patches = patches.is_image() ? nullptr : &patches};
  }
};

Convolution convolution(const Graph& graph, const Node& node, int x, int w) {
  return {graph.value(x).shape, graph.value(w).shape, std::any_cast<const Conv2d&>(node.params)};
}

// ---- y = w patches(x) + bias ----------------------------------------------------------------------------------------

void run(const Launch& launch) {
  const Convolution conv(launch.inputs[0].shape, launch.inputs[1].shape, launch.get<Conv2d>());
  GemmShape shape = conv.forward();
  shape.precision = launch.precision;
  float* y = launch.outputs[0].f32();
  for (int64_t b = 0; b < conv.batch; ++b) {
    for (int64_t g = 0; g < conv.groups; ++g) {
      gemm(shape, launch.inputs[1].f32() + conv.weights(g), launch.inputs[0].f32() + conv.image(b, g), nullptr,
           y + conv.result(b, g), launch.workspace, *launch.pool);
    }
  }
  if (launch.inputs.size() < 3) return;
  const int64_t n = conv.patches.columns();
  const int64_t outputs = conv.groups * conv.outputs;
  parallel_ranges(*launch.pool, conv.batch * outputs, row_grain(n), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      const float bias = launch.inputs[2].f32()[o % outputs];
      for (int64_t i = o * n; i < (o + 1) * n; ++i) y[i] += bias;
    }
  });
}

size_t workspace(const Node& node, const Graph& graph, int workers) {
  const Convolution conv = convolution(graph, node, node.inputs[0], node.inputs[1]);
  return gemm_workspace(conv.forward(), workers);
}

// ---- dw = dy patches(x)^T, summed over the batch --------------------------------------------------------------------

// Inputs: x and dy.
void run_weight_grad(const Launch& launch) {
  const View& dw = launch.outputs[0];
  const Convolution conv(launch.inputs[0].shape, dw.shape, launch.get<Conv2d>());
  GemmShape shape = conv.weight_grad();
  shape.precision = launch.precision;
  if (conv.batch == 0) std::fill_n(dw.f32(), dw.size(), 0.0f);
  for (int64_t b = 0; b < conv.batch; ++b) {
    shape.accumulate = b > 0;
    for (int64_t g = 0; g < conv.groups; ++g) {
      gemm(shape, launch.inputs[1].f32() + conv.result(b, g), launch.inputs[0].f32() + conv.image(b, g), nullptr,
           dw.f32() + conv.weights(g), launch.workspace, *launch.pool);
    }
  }
}

size_t weight_grad_workspace(const Node& node, const Graph& graph, int workers) {
  const Convolution conv = convolution(graph, node, node.inputs[0], node.outputs[0]);
  return gemm_workspace(conv.weight_grad(), workers);
}

// ---- dx: the transpose of `patches` applied to w^T dy ---------------------------------------------------------------

// Columns that a task multiplies at once, and the most panels of rows: fewer if there are not enough tasks.
constexpr int64_t kColumns = 256;
constexpr int64_t kPanels = 12;
constexpr int64_t kLeastPanels = 3;
constexpr int64_t kEnoughTasks = 13;

// What a task owns, and the scratch memory of its worker.
struct InputGradTask {
  int64_t channels;  // Of an image.
  int64_t parts;     // Tasks of a group of an image.
  int64_t columns;
  size_t bytes;

  InputGradTask(const Convolution& conv, const kernels::Products& products)
      : columns(std::min(kColumns, round_up(std::max<int64_t>(1, conv.patches.columns()), products.nr))) {
    const Patches& patches = conv.patches;
    for (int64_t panels = kPanels; panels >= kLeastPanels; panels /= 2) {
      channels = std::clamp<int64_t>(panels * products.mr / patches.taps(), 1, patches.channels);
      parts = ceil_div(patches.channels, channels);
      if (conv.batch * conv.groups * parts >= kEnoughTasks) break;
    }
    Workspace memory;
    take(memory, patches, products);
    bytes = memory.bytes();
  }

  struct Scratch {
    float *panels, *a_panels, *product;
  };
  Scratch take(Workspace& memory, const Patches& patches, const kernels::Products& products) const {
    const int64_t rows = channels * patches.taps();
    Scratch scratch{};
    scratch.panels = memory.take<float>(columns / products.nr * panel_size(products, kernels::kSumDepth));
    scratch.a_panels = memory.take<float>(ceil_div(rows, products.mr) * products.a_panel);
    scratch.product = memory.take<float>(rows * columns);
    return scratch;
  }
};

// Inputs: w and dy.
void run_input_grad(const Launch& launch) {
  check_precision(launch.precision);
  const View& dx = launch.outputs[0];
  const Convolution conv(dx.shape, launch.inputs[0].shape, launch.get<Conv2d>());
  const Patches& patches = conv.patches;
  const kernels::Products& products = products_of(launch.precision);
  const InputGradTask size(conv, products);
  const int64_t depth = kernels::kSumDepth, n = patches.columns();
  launch.pool->parallel_for(conv.batch * conv.groups * size.parts, [&](int64_t task, int worker) {
    Workspace memory(static_cast<std::byte*>(launch.workspace) + static_cast<size_t>(worker) * size.bytes);
    const auto [panels, a_panels, product] = size.take(memory, patches, products);
    const int64_t first = task % size.parts * size.channels;
    const int64_t g = task / size.parts % conv.groups;
    const int64_t b = task / size.parts / conv.groups;
    const int64_t channels = std::min(size.channels, patches.channels - first);
    const int64_t rows = channels * patches.taps();
    const float* w = launch.inputs[0].f32() + conv.weights(g) + first * patches.taps();
    const float* dy = launch.inputs[1].f32() + conv.result(b, g);
    float* image = dx.f32() + conv.image(b, g) + first * patches.pixels();
    std::fill_n(image, channels * patches.pixels(), 0.0f);
    for (int64_t column = 0; column < n; column += size.columns) {
      const int64_t columns = std::min(size.columns, n - column);
      for (int64_t k0 = 0; k0 < conv.outputs; k0 += depth) {
        const int64_t steps = std::min(depth, conv.outputs - k0);
        products.pack({.lanes = columns,
                       .lanes_per_panel = products.nr,
                       .k = steps,
                       .from = dy + k0 * n + column,
                       .stride = n,
                       .along_k = false,
                       .panel = panel_size(products, depth),
                       .to = panels});
        products.multiply({.m = rows,
                           .n = columns,
                           .k = steps,
                           .a = w + k0 * patches.rows(),
                           .a_stride = patches.rows(),
                           .a_along_k = false,
                           .b = panels,
                           .panel = panel_size(products, depth),
                           .b_stride = products.nr,
                           .c = product,
                           .c_stride = size.columns,
                           .c_transposed = false,
                           .accumulate = k0 > 0,
                           .a_panels = a_panels});
      }
      for (int64_t r = 0; r < rows; ++r) add_patches(patches, r, column, columns, product + r * size.columns, image);
    }
  });
}

size_t input_grad_workspace(const Node& node, const Graph& graph, int workers) {
  const Convolution conv = convolution(graph, node, node.outputs[0], node.inputs[0]);
  size_t most = 0;
  for (const Precision precision : {Precision::fp32, Precision::bf16}) {
    if (is_supported(precision)) most = std::max(most, InputGradTask(conv, products_of(precision)).bytes);
  }
  return most * static_cast<size_t>(workers);
}

double flops_of(const Shape& y, const Shape& w) {
  return gemm_flops(w.size(1, 4), 1, 1) * static_cast<double>(y.size());
}
double flops(const Node& node, const Graph& graph) {
  return flops_of(graph.value(node.outputs[0]).shape, graph.value(node.inputs[1]).shape);
}
double input_grad_flops(const Node& node, const Graph& graph) {
  return flops_of(graph.value(node.inputs[1]).shape, graph.value(node.inputs[0]).shape);
}
double weight_grad_flops(const Node& node, const Graph& graph) {
  return flops_of(graph.value(node.inputs[1]).shape, graph.value(node.outputs[0]).shape);
}

std::vector<Tensor> gradient(const Backward& node) {
  const Tensor x = node.inputs[0], w = node.inputs[1], dy = node.output_grads[0];
  const Conv2d& options = node.get<Conv2d>();
  std::vector<Tensor> grads = {
      x.graph().append(kConv2dInputGrad, {w, dy}, {{f32, x.shape()}}, options)[0],
      x.graph().append(kConv2dWeightGrad, {x, dy}, {{f32, w.shape()}}, options)[0],
  };
  if (node.inputs.size() > 2) grads.push_back(sum(dy, {0, 2, 3}));
  return grads;
}

// `op` and `given`, the tensors that its caller gave, are for errors.
Tensor convolve(const char* op, const std::string& given, Tensor x, Tensor w, Tensor bias, const Conv2d& options) {
  const Shape& image = x.shape();
  const Shape& weights = w.shape();
  const int64_t groups = options.groups;
  if (image[1] < 1 || weights.size() < 1)
    throw Error("{}: {}: expected at least one channel and one weight", op, given);
  if (groups < 1 || image[1] % groups != 0 || weights[0] % groups != 0 || weights[1] != image[1] / groups) {
    throw Error("{}: {}: {} groups of {} channels do not make {} channels of {} outputs", op, given, groups, weights[1],
                image[1], weights[0]);
  }
  Shape shape = image.with(1, weights[0]);
  for (int i = 0; i < 2; ++i) {
    const auto at = static_cast<size_t>(i);
    const int64_t stride = options.stride[at], dilation = options.dilation[at], padding = options.padding[at];
    if (stride < 1 || dilation < 1 || padding < 0) {
      throw Error("{}: stride {}, dilation {}, padding {}: expected at least 1, 1 and 0", op, stride, dilation,
                  padding);
    }
    const int64_t padded = checked_add(image[2 + i], checked_mul(int64_t{2}, padding));
    const int64_t reach = checked_add(checked_mul(dilation, weights[2 + i] - 1), int64_t{1});
    if (reach > padded) throw Error("{}: {}: the kernel reaches over {} pixels of {}", op, given, reach, padded);
    shape = shape.with(2 + i, (padded - reach) / stride + 1);
  }
  std::vector<Tensor> inputs = {x, w};
  if (bias) {
    check_f32(op, {bias});
    check_shape(op, bias, {weights[0]});
    inputs.push_back(bias);
  }
  return x.graph().append(kConv2d, inputs, {{f32, shape}}, options)[0];
}

}  // namespace

const Op kConv2d{.name = "conv2d", .run = run, .gradient = gradient, .workspace = workspace, .flops = flops};
const Op kConv2dInputGrad{
    .name = "conv2d_input_grad", .run = run_input_grad, .workspace = input_grad_workspace, .flops = input_grad_flops};
const Op kConv2dWeightGrad{.name = "conv2d_weight_grad",
                           .run = run_weight_grad,
                           .workspace = weight_grad_workspace,
                           .flops = weight_grad_flops};

Tensor conv2d(Tensor x, Tensor w, Tensor bias, const Conv2d& options) {
  check_f32("conv2d", {x, w});
  const std::string given = fmt::format("x {} and w {}", x.str(), w.str());
  if (x.shape().rank() != 4 || w.shape().rank() != 4) {
    throw Error("conv2d: {}: expected x [B, C, H, W] and w [O, C/G, KH, KW]", given);
  }
  return convolve("conv2d", given, x, w, bias, options);
}

Tensor conv1d(Tensor x, Tensor w, Tensor bias, const Conv1d& options) {
  check_f32("conv1d", {x, w});
  const std::string given = fmt::format("x {} and w {}", x.str(), w.str());
  if (x.shape().rank() != 3 || w.shape().rank() != 3) {
    throw Error("conv1d: {}: expected x [B, C, L] and w [O, C/G, K]", given);
  }
  const Conv2d line{.stride = {1, options.stride},
                    .padding = {0, options.padding},
                    .dilation = {1, options.dilation},
                    .groups = options.groups};
  return squeeze(convolve("conv1d", given, unsqueeze(x, 2), unsqueeze(w, 2), bias, line), 2);
}

}  // namespace tinyllm
