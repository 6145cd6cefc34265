#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/ops.h>

#include <numeric>

// Ops on shapes that are made of others.
namespace tinyllm {

Tensor transpose(Tensor x, int a, int b) {
  check_words("transpose", x);
  std::vector<int> order(static_cast<size_t>(x.shape().rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(x.shape().axis(a))], order[static_cast<size_t>(x.shape().axis(b))]);
  return permute(x, order);
}

Tensor squeeze(Tensor x, int axis) {
  check_elements("squeeze", x);
  axis = x.shape().axis(axis);
  if (x.shape()[axis] != 1) {
    throw Error("squeeze: x {}: axis {} has {} elements, expected 1", x.str(), axis, x.shape()[axis]);
  }
  std::vector<int64_t> extents(x.shape().begin(), x.shape().end());
  extents.erase(extents.begin() + axis);
  return reshape(x, extents);
}

Tensor unsqueeze(Tensor x, int axis) {
  check_elements("unsqueeze", x);
  const int rank = x.shape().rank();
  if (axis < -rank - 1 || axis > rank) {
    throw Error("unsqueeze: x {}: new axis {}, expected {} to {}", x.str(), axis, -rank - 1, rank);
  }
  std::vector<int64_t> extents(x.shape().begin(), x.shape().end());
  extents.insert(extents.begin() + (axis < 0 ? axis + rank + 1 : axis), 1);
  return reshape(x, extents);
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) throw Error("stack: nothing to join");
  std::vector<Tensor> rows;
  for (const Tensor& part : parts) {
    check_elements("stack", part);
    if (part.shape() != parts[0].shape() || part.type() != parts[0].type()) {
      throw Error("stack: {} {} and {} {}: expected one shape and type", parts[0].str(), parts[0].type().str(),
                  part.str(), part.type().str());
    }
    rows.push_back(unsqueeze(part, axis));
  }
  return concat(rows, axis);
}

// One axis at a time: [outer, 1, n] is broadcast to [outer, times, n], where n counts the axis and all after it.
Tensor repeat(Tensor x, const std::vector<int64_t>& times) {
  check_words("repeat", x);
  Shape shape = x.shape();
  if (times.size() != static_cast<size_t>(shape.rank())) {
    throw Error("repeat: x {}: {} counts, expected one for each axis", x.str(), times.size());
  }
  for (int i = shape.rank() - 1; i >= 0; --i) {
    const int64_t count = times[static_cast<size_t>(i)];
    if (count < 0) throw Error("repeat: x {}: {} times along axis {}, expected 0 or more", x.str(), count, i);
    if (count == 1) continue;
    const int64_t outer = shape.size(0, i), inner = shape.size(i, shape.rank());
    shape = shape.with(i, checked_mul(shape[i], count));
    x = broadcast_to(reshape(x, {outer, 1, inner}), {outer, count, inner});
    x = reshape(x, {shape.begin(), shape.end()});
  }
  return x;
}

}  // namespace tinyllm
