#pragma once

#include <tinyllm/ops/kernels/kernels.h>
#include <tinyllm/ops/kernels/simd.h>

namespace tinyllm::kernels::TINYLLM_ISA {

/// Elements that one call of `keep_mask` can do.
inline constexpr int64_t kMaskChunk = 512;

/// mask[i] = 1 / (1 - p) where element `first` + i is kept, else 0, for i < n <= kMaskChunk. Element j is kept when
/// word j mod 4 of Philox4x32-10 at counter (j / 4, op, step) reaches p 2^32: the generator of tensor/philox.h, several
/// counters at once in 64-bit lanes of which only the low halves count.
inline void keep_mask(const DropoutMask& m, int64_t first, int64_t n, float* mask) {
  constexpr int64_t kLanes = kWidth / 2;
  constexpr uint64_t kLow = 0xFFFFFFFF;
  alignas(64) uint32_t words[kMaskChunk + 4 * kWidth];
  const int64_t skip = first % 4;
  for (int64_t done = 0; done < n + skip; done += 4 * kLanes) {
    Vul block;
    for (int64_t i = 0; i < kLanes; ++i) block[i] = static_cast<uint64_t>((first + done) / 4 + i);
    const Vul zero = {};
    Vul c0 = block;
    Vul c1 = block >> 32;
    Vul c2 = zero + m.op;
    Vul c3 = zero + m.step;
    uint32_t k0 = m.key[0];
    uint32_t k1 = m.key[1];
    for (int round = 0; round < 10; ++round) {
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
    for (int64_t i = 0; i < kLanes; ++i) {
      const uint64_t pair[2] = {low[i], high[i]};
      __builtin_memcpy(words + done + 4 * i, pair, sizeof pair);
    }
  }
  const float scale = m.scale;
  const uint32_t threshold = m.threshold;
  for (int64_t i = 0; i < n; ++i) mask[i] = words[skip + i] >= threshold ? scale : 0.0f;
}

}  // namespace tinyllm::kernels::TINYLLM_ISA
