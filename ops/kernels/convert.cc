#include <tinyllm/ops/kernels/half.h>
#include <tinyllm/ops/kernels/kernels.h>

// Converts 16-bit numbers to floats and back.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

template <class T>
void widen_all(int64_t size, const T* x, float* y) {
  for_each_vector(size, [&](int64_t i, int64_t n) { store_any(y + i, widen(x + i, n), n); });
}

template <class T>
void narrow_all(int64_t size, const float* x, T* y) {
  for_each_vector(size, [&](int64_t i, int64_t n) { store_bits(y + i, narrow(load_any(x + i, n), y), n); });
}

}  // namespace

void fill_convert(Kernels& table) {
  table.from_f16 = widen_all<Half>;
  table.from_bf16 = widen_all<BFloat16>;
  table.to_f16 = narrow_all<Half>;
  table.to_bf16 = narrow_all<BFloat16>;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
