#include <tinyllm/ops/detail/fold.h>

#include <tinyllm/ops/shape.h>

namespace tinyllm {

void check_not_empty(const char* op, const Tensor& x, const std::vector<int>& axes) {
  for (const int axis : axes) {
    if (x.shape()[axis] == 0) {
      throw Error("{}: {}: axis {} has no elements, expected at least one", op, x.str(), axis);
    }
  }
}

Tensor reduce_axes(const char* op, Tensor x, const std::vector<int>& axes, bool keep_dims,
                   const std::function<Tensor(Tensor)>& step) {
  const Shape from = x.shape();
  std::array<bool, Shape::kMaxRank> is_reduced{};
  for (const int axis : axes) {
    bool& reduced = is_reduced[static_cast<size_t>(from.axis(axis))];
    if (reduced) throw Error("{}: {}: axis {} is named twice", op, x.str(), axis);
    reduced = true;
  }
  std::vector<int64_t> extents;
  for (int i = 0; i < from.rank(); ++i) {
    if (!is_reduced[static_cast<size_t>(i)]) {
      extents.push_back(from[i]);
    } else if (keep_dims) {
      extents.push_back(1);
    }
  }
  int64_t inner = 1;  // Elements after the run that are left.
  for (int end = from.rank(), begin; end > 0; end = begin) {
    const bool reduced = is_reduced[static_cast<size_t>(end - 1)];
    for (begin = end - 1; begin > 0 && is_reduced[static_cast<size_t>(begin - 1)] == reduced;) --begin;
    const int64_t n = from.size(begin, end);
    if (reduced) {
      x = step(reshape(x, {from.size(0, begin), n, inner}));
    } else {
      inner *= n;
    }
  }
  return reshape(x, extents);
}

}  // namespace tinyllm
