#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

#include <bit>
#include <cstring>

namespace tinyllm {
namespace {

struct Params {
  std::vector<PadWidth> widths;
  uint32_t fill;  // The bits of an added element.
};

// The row of x that row `row` of y holds; -1 if it is all padding.
int64_t source_row(const Shape& x, const Shape& y, const std::vector<PadWidth>& widths, int64_t row) {
  int64_t source = 0;
  int64_t stride = 1;
  for (int i = y.rank() - 2; i >= 0; --i) {
    const int64_t at = row % y[i] - widths[static_cast<size_t>(i)].before;
    row /= y[i];
    if (at < 0 || at >= x[i]) return -1;
    source += at * stride;
    stride *= x[i];
  }
  return source;
}

void run(const Launch& launch) {
  const Params& params = launch.get<Params>();
  const Shape& x = launch.inputs[0].shape;
  const Shape& y = launch.outputs[0].shape;
  const int64_t length = x.row(), whole = y.row(), before = params.widths.back().before;
  const auto* source = static_cast<const uint32_t*>(launch.inputs[0].data);
  auto* target = static_cast<uint32_t*>(launch.outputs[0].data);
  parallel_ranges(*launch.pool, y.rows(), row_grain(whole), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      uint32_t* to = target + r * whole;
      const int64_t from = source_row(x, y, params.widths, r);
      if (from < 0) {
        std::fill_n(to, whole, params.fill);
        continue;
      }
      std::fill_n(to, before, params.fill);
      if (length != 0) std::memcpy(to + before, source + from * length, static_cast<size_t>(length) * sizeof(uint32_t));
      std::fill_n(to + before + length, whole - before - length, params.fill);
    }
  });
}

std::vector<Tensor> gradient(const Backward& node) {
  const std::vector<PadWidth>& widths = node.get<Params>().widths;
  const Shape& x = node.inputs[0].shape();
  Tensor grad = node.output_grads[0];
  for (int i = 0; i < x.rank(); ++i) {
    const auto [before, after] = widths[static_cast<size_t>(i)];
    if (before + after != 0) grad = slice(grad, i, before, before + x[i]);
  }
  return {grad};
}

}  // namespace

const Op kPad{.name = "pad", .run = run, .gradient = gradient};

Tensor pad(Tensor x, std::vector<PadWidth> widths, float value) {
  check_words("pad", x);
  Shape shape = x.shape();
  if (shape.rank() == 0 || widths.size() != static_cast<size_t>(shape.rank())) {
    throw Error("pad: x {}: {} widths, expected one for each axis", x.str(), widths.size());
  }
  for (int i = 0; i < shape.rank(); ++i) {
    const auto [before, after] = widths[static_cast<size_t>(i)];
    if (before < 0 || after < 0) {
      throw Error("pad: x {}: {} before and {} after axis {}, expected 0 or more", x.str(), before, after, i);
    }
    shape = shape.with(i, checked_add(shape[i], checked_add(before, after)));
  }
  if (x.type() == i32 && !is_int32(value)) {
    throw Error("pad: x {}: value {}, expected a whole number of 32 bits for i32", x.str(), value);
  }
  if (shape == x.shape()) return x;
  const uint32_t fill =
      x.type() == i32 ? static_cast<uint32_t>(static_cast<int32_t>(value)) : std::bit_cast<uint32_t>(value);
  return x.graph().append(kPad, {x}, {{x.type(), shape}}, Params{std::move(widths), fill})[0];
}

}  // namespace tinyllm
