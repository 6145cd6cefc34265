#pragma once

#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/tensor/op.h>

#include <array>
#include <string_view>

// What the elementwise ops of several arguments share: NumPy's broadcasting. Shapes are aligned at their last axes, and
// an extent of 1 (or a missing axis) is repeated.
namespace tinyllm {

/// The extent of the axis of `shape` that is aligned with axis `axis` of `rank` axes; 1 if it has none.
int64_t aligned_extent(const Shape& shape, int axis, int rank);

/// The shape that the tensors broadcast to. Throws Error when two extents of an axis differ and neither is 1, or when a
/// tensor is empty.
Shape broadcast_shape(std::string_view op, std::initializer_list<Tensor> tensors);

/// Sums a gradient to the shape of an argument that was broadcast.
Tensor reduce_to(Tensor grad, const Shape& shape);

/// How to walk over the arguments in the order of the output. Neighbouring axes that are walked alike are joined, so
/// that the innermost axis is as long as possible; on it, an argument is contiguous or one repeated number.
class BroadcastWalk {
 public:
  static constexpr size_t kMaxArguments = 3;
  using Offsets = std::array<int64_t, kMaxArguments>;

  BroadcastWalk(std::span<const View> arguments, const Shape& output);

  /// Calls `f(position, count, offsets)` in parallel for runs of `count` elements of the output from `position` on. The
  /// arguments of a run begin at `offsets`.
  template <class F>
  void for_each_run(ThreadPool& pool, F f) const {
    parallel_ranges(pool, size_, 16384, [&](int64_t begin, int64_t end) { walk(begin, end, f); });
  }
  /// An argument of a run.
  template <class X>
  kernels::Operand<X> operand(size_t argument, const Offsets& offsets) const {
    return {static_cast<const X*>(arguments_[argument].data) + offsets[argument], strides_[0][argument] == 0};
  }

 private:
  template <class F>
  void walk(int64_t begin, int64_t end, F& f) const {
    std::array<int64_t, Shape::kMaxRank> at{};
    Offsets offsets{};
    int64_t rest = begin;
    for (size_t axis = 0; axis < rank_; ++axis) {
      at[axis] = rest % extents_[axis];
      rest /= extents_[axis];
      move(offsets, axis, at[axis]);
    }
    while (begin < end) {
      const int64_t count = std::min(extents_[0] - at[0], end - begin);
      f(begin, count, offsets);
      begin += count;
      at[0] += count;
      move(offsets, 0, count);
      for (size_t axis = 0; axis + 1 < rank_ && at[axis] == extents_[axis]; ++axis) {
        move(offsets, axis, -extents_[axis]);
        at[axis] = 0;
        move(offsets, axis + 1, 1);
        ++at[axis + 1];
      }
    }
  }
  void move(Offsets& offsets, size_t axis, int64_t by) const {
    for (size_t i = 0; i < kMaxArguments; ++i) offsets[i] += by * strides_[axis][i];
  }

  std::span<const View> arguments_;
  int64_t size_;
  // The joined axes, innermost first; at least one.
  size_t rank_ = 1;
  std::array<int64_t, Shape::kMaxRank> extents_{1};
  std::array<Offsets, Shape::kMaxRank> strides_{};
};

/// out[i] = kernel(x[i], y[i]).
template <class X, class Y>
void run_broadcast(const Launch& launch, kernels::Combine<X, Y> kernel) {
  const BroadcastWalk walk(launch.inputs, launch.outputs[0].shape);
  Y* out = static_cast<Y*>(launch.outputs[0].data);
  walk.for_each_run(*launch.pool, [&](int64_t at, int64_t count, const BroadcastWalk::Offsets& from) {
    kernel(count, walk.operand<X>(0, from), walk.operand<X>(1, from), out + at);
  });
}
/// out[i] = kernel(condition[i], x[i], y[i]).
template <class X>
void run_broadcast(const Launch& launch, kernels::Choose<X> kernel) {
  const BroadcastWalk walk(launch.inputs, launch.outputs[0].shape);
  X* out = static_cast<X*>(launch.outputs[0].data);
  walk.for_each_run(*launch.pool, [&](int64_t at, int64_t count, const BroadcastWalk::Offsets& from) {
    kernel(count, walk.operand<int32_t>(0, from), walk.operand<X>(1, from), walk.operand<X>(2, from), out + at);
  });
}

}  // namespace tinyllm
