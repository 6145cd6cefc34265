#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <cstring>
#include <numeric>

// concat and split are gradients of each other. Both use one copy loop, with source and target swapped.
namespace tinyllm {
namespace {

struct Params {
  int axis;
};

// Bytes of one run of `view` along the axis.
size_t run_bytes(const View& view, int axis) {
  return static_cast<size_t>(view.shape.size(axis, view.shape.rank())) * size_of(view.type.dtype());
}

template <class Copy>
void for_each_run(const View& whole, std::span<const View> parts, const Launch& launch, Copy copy) {
  if (whole.size() == 0) return;
  const int axis = launch.get<Params>().axis;
  const size_t whole_bytes = run_bytes(whole, axis);
  const int64_t grain = std::max<int64_t>(1, 65536 / static_cast<int64_t>(whole_bytes));
  parallel_ranges(*launch.pool, whole.shape.size(0, axis), grain, [&](int64_t begin, int64_t end) {
    for (size_t r = static_cast<size_t>(begin); r < static_cast<size_t>(end); ++r) {
      std::byte* in_whole = static_cast<std::byte*>(whole.data) + r * whole_bytes;
      for (const View& part : parts) {
        const size_t bytes = run_bytes(part, axis);
        if (bytes != 0) copy(in_whole, static_cast<std::byte*>(part.data) + r * bytes, bytes);
        in_whole += bytes;
      }
    }
  });
}

void run_concat(const Launch& launch) {
  for_each_run(launch.outputs[0], launch.inputs, launch,
               [](std::byte* whole, std::byte* part, size_t bytes) { std::memcpy(whole, part, bytes); });
}

void run_split(const Launch& launch) {
  for_each_run(launch.inputs[0], launch.outputs, launch,
               [](std::byte* whole, std::byte* part, size_t bytes) { std::memcpy(part, whole, bytes); });
}

std::vector<Tensor> concat_gradient(const Backward& node) {
  const int axis = node.get<Params>().axis;
  std::vector<int64_t> extents;
  for (const Tensor& part : node.inputs) extents.push_back(part.shape()[axis]);
  return split(node.output_grads[0], axis, extents);
}

std::vector<Tensor> split_gradient(const Backward& node) {
  std::vector<Tensor> grads;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const Tensor& grad = node.output_grads[i];
    grads.push_back(grad ? grad : node.inputs[0].graph().constant(0.0f, node.outputs[i].shape()));
  }
  return {concat(grads, node.get<Params>().axis)};
}

}  // namespace

const Op kConcat{.name = "concat", .run = run_concat, .gradient = concat_gradient};
const Op kSplit{.name = "split", .run = run_split, .gradient = split_gradient};

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) throw Error("concat: nothing to join");
  for (const Tensor& part : parts) check_elements("concat", part);
  const Tensor first = parts[0];
  axis = first.shape().axis(axis);
  int64_t extent = 0;
  for (const Tensor& part : parts) {
    if (part.type() != first.type() || part.shape().rank() != first.shape().rank() ||
        part.shape().with(axis, 0) != first.shape().with(axis, 0)) {
      throw Error("concat: {} {} and {} {} do not join along axis {}", first.str(), first.type().str(), part.str(),
                  part.type().str(), axis);
    }
    extent = checked_add(extent, part.shape()[axis]);
  }
  const Shape shape = first.shape().with(axis, extent);
  return first.graph().append(kConcat, parts, {{first.type(), shape}}, Params{axis})[0];
}

std::vector<Tensor> split(Tensor x, int axis, const std::vector<int64_t>& extents) {
  check_elements("split", x);
  axis = x.shape().axis(axis);
  const int64_t total = std::accumulate(extents.begin(), extents.end(), int64_t{0}, checked_add<int64_t>);
  if (extents.empty() || total != x.shape()[axis]) {
    throw Error("split: x {} along axis {}: parts ({}) add up to {}, expected {}", x.str(), axis,
                fmt::join(extents, ","), total, x.shape()[axis]);
  }
  std::vector<Graph::Output> outputs;
  for (const int64_t extent : extents) outputs.push_back({x.type(), x.shape().with(axis, extent)});
  return x.graph().append(kSplit, {x}, outputs, Params{axis});
}

}  // namespace tinyllm
