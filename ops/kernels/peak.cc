#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

// The most arithmetic that a core can do: independent fused multiply-adds from registers. For benchmarks.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr int64_t kChains = 12;  // More than latency times units of any CPU so far, fewer than registers.

double multiply_add(int64_t rounds) {
  Vf acc[kChains];
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i) acc[i] = splat(static_cast<float>(i));
  Vf x = splat(0.999f);
  const Vf y = splat(0.001f);
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(x));  // So that the loop is not folded.
#pragma GCC unroll 12
    for (int64_t i = 0; i < kChains; ++i) acc[i] = fma(acc[i], x, y);
  }
  Vf total = {};
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i) total += acc[i];
  volatile float used = sum(total);
  (void)used;
  return 2.0 * static_cast<double>(rounds * kChains * kWidth);
}

}  // namespace

void fill_peak(Kernels& table) { table.multiply_add = multiply_add; }

}  // namespace tinyllm::kernels::TINYLLM_ISA
