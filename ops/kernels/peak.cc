#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

#if defined(__AMX_BF16__)
#include <tinyllm/ops/kernels/tiles.h>
#endif

// The peak rates of a core, for benchmarks: independent chains of one instruction on registers, and reading memory.
namespace tinyllm::kernels::TINYLLM_ISA {
namespace {

constexpr int64_t kChains = 12;  // More than latency times execution units of any known CPU, and fewer than registers.

// Calls `step(acc, x, y)` on every chain, `rounds` times. Returns the number of operations; a step has `each` of them.
template <class V, class Step>
double run_chains(int64_t rounds, int64_t each, V x, V y, Step step) {
  V acc[kChains] = {};
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i)
    asm volatile("" : "+x"(acc[i]));  // Hides from the compiler that all chains are equal.
  for (int64_t round = 0; round < rounds; ++round) {
    asm volatile("" : "+x"(x));  // Keeps the compiler from folding the loop.
#pragma GCC unroll 12
    for (int64_t i = 0; i < kChains; ++i) step(acc[i], x, y);
  }
#pragma GCC unroll 12
  for (int64_t i = 0; i < kChains; ++i) asm volatile("" : : "x"(acc[i]));
  return static_cast<double>(rounds * kChains * each);
}

double multiply_add(int64_t rounds) {
  return run_chains(rounds, 2 * kWidth, splat(0.999f), splat(0.001f),
                    [](Vf& acc, Vf x, Vf y) { acc = fma(acc, x, y); });
}

#if defined(__AMX_BF16__)
// Multiplies tiles of zeros: 16 x 16 sums of 32 products each. Four tile products count as 16 rounds.
double dot_bf16(int64_t rounds) {
  const TilesInUse tiles;
  const int64_t squares = rounds / 16;
  for (int64_t i = 0; i < squares; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  return static_cast<double>(squares) * 4 * 2 * kTile * kTile * 2 * kTile;
}
#elif defined(__AVX512F__)
// In assembly, because the compiler flags of this folder do not allow these instructions: not every CPU with AVX-512
// has them.
double dot_bf16(int64_t rounds) {
  const Vi ones = Vi{} + 0x3F803F80;  // Two BF16 numbers in a lane.
  return run_chains(rounds, 4 * kWidth, ones, ones, [](Vi& acc, Vi x, Vi y) {
    asm("vdpbf16ps %2, %1, %0" : "+x"(acc) : "x"(x), "x"(y));
  });
}

#endif

#if defined(__AVX512F__)
double dot_int8(int64_t rounds) {
  const Vi ones = Vi{} + 0x01010101;  // Four bytes in a lane.
  return run_chains(rounds, 8 * kWidth, ones, ones, [](Vi& acc, Vi x, Vi y) {
    asm("vpdpbusd %2, %1, %0" : "+x"(acc) : "x"(x), "x"(y));
  });
}
#endif

void read(int64_t n, const float* x) {
  constexpr int64_t kStreams = 8;
  Vf acc[kStreams] = {};
  for (int64_t i = 0; i + kStreams * kWidth <= n; i += kStreams * kWidth) {
#pragma GCC unroll 8
    for (int64_t j = 0; j < kStreams; ++j) acc[j] += load(x + i + j * kWidth);
  }
#pragma GCC unroll 8
  for (int64_t j = 0; j < kStreams; ++j) asm volatile("" : : "x"(acc[j]));
}

}  // namespace

void fill_peak(Kernels& table) {
  table.multiply_add = multiply_add;
#if defined(__AVX512F__)
  if (__builtin_cpu_supports("avx512bf16")) table.dot_bf16 = dot_bf16;
  if (__builtin_cpu_supports("avx512vnni")) table.dot_int8 = dot_int8;
#endif
  table.read = read;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
