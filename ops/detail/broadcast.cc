#include <tinyllm/ops/detail/broadcast.h>

#include <tinyllm/ops/ops.h>

namespace tinyllm {

int64_t aligned_extent(const Shape& shape, int axis, int rank) {
  const int own = axis - (rank - shape.rank());
  return own < 0 ? 1 : shape[own];
}

Shape broadcast_shape(std::string_view op, std::initializer_list<Tensor> tensors) {
  int rank = 0;
  for (const Tensor& tensor : tensors) {
    if (!tensor) throw Error("{}: an input is empty", op);
    rank = std::max(rank, tensor.shape().rank());
  }
  std::array<int64_t, Shape::kMaxRank> extents{};
  for (int i = 0; i < rank; ++i) {
    int64_t& extent = extents[static_cast<size_t>(i)];
    extent = 1;
    const Tensor* of = nullptr;
    for (const Tensor& tensor : tensors) {
      const int64_t found = aligned_extent(tensor.shape(), i, rank);
      if (found == 1 || found == extent) continue;
      if (extent != 1) {
        throw Error("{}: {} and {} do not broadcast: extents {} and {} on axis {}, expected equal ones or 1", op,
                    of->str(), tensor.str(), extent, found, i - rank);
      }
      extent = found;
      of = &tensor;
    }
  }
  return Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank)));
}

Tensor reduce_to(Tensor grad, const Shape& shape) {
  if (grad.shape() == shape) return grad;
  std::vector<int> axes;
  for (int i = 0; i < grad.shape().rank(); ++i) {
    const bool is_repeated = grad.shape()[i] != 1 && aligned_extent(shape, i, grad.shape().rank()) == 1;
    if (is_repeated || shape.size() == 1) axes.push_back(i);
  }
  return reshape(sum(grad, axes), {shape.begin(), shape.end()});
}

BroadcastWalk::BroadcastWalk(std::span<const View> arguments, const Shape& output)
    : arguments_(arguments), size_(output.size()) {
  Offsets size{1, 1, 1};  // Of the axes of each argument that have been seen.
  bool is_first = true;
  for (int i = output.rank() - 1; i >= 0; --i) {
    if (output[i] == 1) continue;
    Offsets strides{};
    for (size_t a = 0; a < arguments.size(); ++a) {
      const int64_t extent = aligned_extent(arguments[a].shape, i, output.rank());
      strides[a] = extent == 1 ? 0 : size[a];
      size[a] *= extent;
    }
    bool joins = !is_first;
    for (size_t a = 0; a < arguments.size(); ++a) {
      joins = joins && strides[a] == strides_[rank_ - 1][a] * extents_[rank_ - 1];
    }
    if (joins) {
      extents_[rank_ - 1] *= output[i];
    } else {
      if (!is_first) ++rank_;
      extents_[rank_ - 1] = output[i];
      strides_[rank_ - 1] = strides;
    }
    is_first = false;
  }
}

}  // namespace tinyllm
