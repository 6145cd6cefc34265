#include <tinyllm/ops/convert.h>

#include <tinyllm/ops/kernels/kernels.h>

namespace tinyllm {
namespace {

template <class From, class To>
void convert(void (*kernel)(int64_t, const From*, To*), std::span<const From> from, std::span<To> to) {
  if (from.size() != to.size()) throw Error("convert: {} numbers to {}, expected as many", from.size(), to.size());
  kernel(std::ssize(from), from.data(), to.data());
}

}  // namespace

void convert(std::span<const Half> from, std::span<float> to) { convert(kernels::kernels().from_f16, from, to); }
void convert(std::span<const BFloat16> from, std::span<float> to) { convert(kernels::kernels().from_bf16, from, to); }
float to_float(Half half) {
  float x = 0;
  kernels::kernels().from_f16(1, &half, &x);
  return x;
}
void convert(std::span<const float> from, std::span<Half> to) { convert(kernels::kernels().to_f16, from, to); }
void convert(std::span<const float> from, std::span<BFloat16> to) { convert(kernels::kernels().to_bf16, from, to); }

}  // namespace tinyllm
