#pragma once

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

// Which elements a dropout keeps. Each element uses 16 random bits. Element
//
//   64 g + 32 h + 16 s + 2 i + l    (h, s, l < 2, i < 8)
//
// is kept when half s (0: the low one) of word 2 h + l of Philox4x32-7 at counter (8 g + i, op, step) is at least p
// 2^16. tensor/base/random.h has the generator. With this order, vectors of any width hold neighbouring elements
// without a shuffle. Seven rounds are the fewest that pass BigCrush (Salmon et al., SC 2011).
namespace tinyllm::kernels::TINYLLM_ISA {

inline constexpr int64_t kGroupWords = kMaskGroup / 2;

/// Draws words[16 h + 2 i + l] for group g of kMaskGroup elements. It computes several counters at once, in the low
/// halves of 64-bit lanes.
inline void draw(const DropoutMask& m, int64_t g, uint32_t* words) {
  constexpr int64_t kLanes = kWidth / 2;
  constexpr uint64_t kLow = 0xFFFFFFFF;
  constexpr uint64_t kCounters[8] = {0, 1, 2, 3, 4, 5, 6, 7};
  const Vul zero = {};
  for (int64_t first = 0; first < 8; first += kLanes) {
    Vul c0;
    __builtin_memcpy(&c0, kCounters + first, sizeof c0);
    c0 += static_cast<uint64_t>(8 * g);
    Vul c1 = c0 >> 32;
    Vul c2 = zero + m.op;
    Vul c3 = zero + m.step;
    uint32_t k0 = m.key[0];
    uint32_t k1 = m.key[1];
#pragma GCC unroll 7
    for (int round = 0; round < 7; ++round) {
      const Vul p0 = mul_low_halves(c0, zero + uint64_t{0xD2511F53});
      const Vul p1 = mul_low_halves(c2, zero + uint64_t{0xCD9E8D57});
      c0 = (p1 >> 32) ^ c1 ^ uint64_t { k0 };
      c2 = (p0 >> 32) ^ c3 ^ uint64_t { k1 };
      c1 = p1;
      c3 = p0;
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    const Vul low = (c0 & kLow) | (c1 << 32);
    const Vul high = (c2 & kLow) | (c3 << 32);
    __builtin_memcpy(words + 2 * first, &low, sizeof low);
    __builtin_memcpy(words + 16 + 2 * first, &high, sizeof high);
  }
}

/// All bits set in lanes that are kept: lane l is element r + l of the group of `words`. r is a multiple of kWidth.
inline Vi kept(const DropoutMask& m, const uint32_t* words, int64_t r) {
  Vu pairs;
  __builtin_memcpy(&pairs, words + r / 32 * 16 + r % 16, sizeof pairs);
  return reinterpret_cast<Vi>((r / 16 % 2 == 0 ? pairs << 16 : pairs) >= m.threshold);
}

/// x where kept, else 0.
inline Vf select(Vi keep, Vf x) { return reinterpret_cast<Vf>(reinterpret_cast<Vi>(x) & keep); }

/// Calls `f(i, n, keep)` for the n elements from i on. n is kWidth, or less at the end. `keep` is the mask from element
/// `first` + i on; `first` is a multiple of kMaskGroup.
template <class F>
inline void for_each_kept(const DropoutMask& m, int64_t first, int64_t size, F f) {
  alignas(64) uint32_t words[kGroupWords];
  for (int64_t i = 0; i < size; i += kMaskGroup) {
    draw(m, (first + i) / kMaskGroup, words);
    for_each_vector(least(kMaskGroup, size - i), [&](int64_t r, int64_t n) { f(i + r, n, kept(m, words, r)); });
  }
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
