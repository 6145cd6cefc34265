#include <tinyllm/ops/detail/check.h>
#include <tinyllm/ops/detail/parallel.h>
#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/op_list.h>
#include <tinyllm/ops/ops.h>

namespace tinyllm {
namespace {

// Between f32 and another type.
void convert(int64_t n, int64_t at, const View& from, const View& to) {
  const kernels::Kernels& kernel = kernels::kernels();
  const auto* x = static_cast<const std::byte*>(from.data) + at * static_cast<int64_t>(size_of(from.type.dtype()));
  auto* y = static_cast<std::byte*>(to.data) + at * static_cast<int64_t>(size_of(to.type.dtype()));
  const auto* floats = reinterpret_cast<const float*>(x);
  auto* results = reinterpret_cast<float*>(y);
  if (from.type == i32) kernel.unary.to_f32(n, {}, reinterpret_cast<const int32_t*>(x), results);
  if (from.type == f16) kernel.from_f16(n, reinterpret_cast<const Half*>(x), results);
  if (from.type == bf16) kernel.from_bf16(n, reinterpret_cast<const BFloat16*>(x), results);
  if (to.type == i32) kernel.unary.to_i32(n, {}, floats, reinterpret_cast<int32_t*>(y));
  if (to.type == f16) kernel.to_f16(n, floats, reinterpret_cast<Half*>(y));
  if (to.type == bf16) kernel.to_bf16(n, floats, reinterpret_cast<BFloat16*>(y));
}

void run(const Launch& launch) {
  parallel_ranges(*launch.pool, launch.inputs[0].size(), 16384, [&](int64_t begin, int64_t end) {
    convert(end - begin, begin, launch.inputs[0], launch.outputs[0]);
  });
}

// Rounding to fewer bits is taken as if it changed nothing. Whole numbers have no gradient.
std::vector<Tensor> gradient(const Backward& node) {
  const bool whole = node.inputs[0].type() == i32 || node.outputs[0].type() == i32;
  return {whole ? Tensor{} : node.output_grads[0]};
}

}  // namespace

const Op kCast{.name = "cast", .run = run, .gradient = gradient, .in_place = 1};

Tensor cast(Tensor x, DType to) {
  check_elements("cast", x);
  if (x.type() == to) return x;
  if (x.type() != f32 && to != f32) {
    throw Error("cast: {} is {}, to {}: expected one of them to be f32", x.str(), x.type().str(), name_of(to));
  }
  return x.graph().append(kCast, {x}, {{to, x.shape()}})[0];
}

}  // namespace tinyllm
